"""gradgen turns a NumPy function into readable, compiled derivative code."""

__version__ = "0.1.0"
