"""Python function -> graph: NumPy's protocols over nodes."""

from gradgen.trace import elements, indexing, products, reductions, shapes, writing  # they fill protocol.FUNCTIONS

__all__ = ["elements", "indexing", "products", "reductions", "shapes", "writing"]
