"""Python function -> graph: NumPy's protocols over nodes."""
