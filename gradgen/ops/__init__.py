"""The ops: one record each, split by family."""

from gradgen.ops import arithmetic, control, functions, indexing, leaves, linalg, reductions, updates, views
from gradgen.ops.functions import sigmoid
from gradgen.ops.leaves import stop_gradient
from gradgen.ops.record import BY_NUMPY, REGISTRY, Op

__all__ = [
    "BY_NUMPY", "REGISTRY", "Op", "arithmetic", "control", "functions", "indexing", "leaves", "linalg", "reductions",
    "sigmoid", "stop_gradient", "updates", "views",
]  # fmt: skip
