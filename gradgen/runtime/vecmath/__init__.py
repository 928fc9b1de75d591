"""Elementary functions that LLVM vectorises inside plain loops of @njit code.

in:  a scalar, float32 for exp32, log32, ..., float64 for exp64, log64, ...
out: a scalar of the same dtype, within 4 units in the last place (ulp), nan for nan, right at 0, inf, denormals

    for i in range(n):
        out[i] = tanh32(x[i])       # becomes 8 or 16 at once; math.tanh would be n calls of the C library

Straight-line code: where libraries branch, these select. The bounds in the docstrings are measured, with and without
fused multiply-add, and rounded up. Only @njit code can call these; embed.py copies them into modules of their own.
"""

from gradgen.runtime.vecmath.exponential import exp32, exp64, expm132, expm164, sigmoid32, sigmoid64, tanh32, tanh64
from gradgen.runtime.vecmath.logarithm import log1p32, log1p64, log32, log64
from gradgen.runtime.vecmath.power import power8, power16, power32, power64

__all__ = [
    "exp32", "exp64", "expm132", "expm164", "log1p32", "log1p64",
    "log32", "log64", "power8", "power16", "power32", "power64", "sigmoid32", "sigmoid64", "tanh32", "tanh64",
]  # fmt: skip
