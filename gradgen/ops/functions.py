"""Elementary functions. `needs` names the vectorisable version in runtime/vecmath; the others are calls of `math`."""

from __future__ import annotations

import math

import numpy as np

from gradgen.ops.record import elementwise

# fmt: off
sqrt = elementwise("sqrt", np.sqrt, lambda out, x: (0.5 / out,), "math.sqrt({x})", weight=4, sample=((0.3, 3.0),))
cbrt = elementwise("cbrt", np.cbrt, lambda out, x: (1 / (3 * out * out),), "np.cbrt({x})", weight=20, sample=((0.3, 3.0),))
exp = elementwise("exp", np.exp, lambda out, x: (out,), "exp{bits}({x})", needs="exp{bits}", single="math.exp({x})", weight=8)
log = elementwise("log", np.log, lambda out, x: (1 / x,), "log{bits}({x})", needs="log{bits}", single="math.log({x})", weight=8, sample=((0.3, 3.0),))
log2 = elementwise("log2", np.log2, lambda out, x: (1 / (x * math.log(2.0)),), "math.log2({x})", weight=20, sample=((0.3, 3.0),))
log10 = elementwise("log10", np.log10, lambda out, x: (1 / (x * math.log(10.0)),), "math.log10({x})", weight=20, sample=((0.3, 3.0),))
log1p = elementwise("log1p", np.log1p, lambda out, x: (1 / (1 + x),), "log1p{bits}({x})", needs="log1p{bits}", weight=10, sample=((-0.5, 3.0),))
expm1 = elementwise("expm1", np.expm1, lambda out, x: (np.exp(x),), "expm1{bits}({x})", needs="expm1{bits}", weight=10)
sin = elementwise("sin", np.sin, lambda out, x: (np.cos(x),), "math.sin({x})", weight=20)
cos = elementwise("cos", np.cos, lambda out, x: (-np.sin(x),), "math.cos({x})", weight=20)
tan = elementwise("tan", np.tan, lambda out, x: (1 + out * out,), "math.tan({x})", weight=30, sample=((-1.2, 1.2),))
arcsin = elementwise("arcsin", np.arcsin, lambda out, x: (1 / np.sqrt(1 - x * x),), "math.asin({x})", weight=25, sample=((-0.8, 0.8),))
arccos = elementwise("arccos", np.arccos, lambda out, x: (-1 / np.sqrt(1 - x * x),), "math.acos({x})", weight=25, sample=((-0.8, 0.8),))
arctan = elementwise("arctan", np.arctan, lambda out, x: (1 / (1 + x * x),), "math.atan({x})", weight=25)
arctan2 = elementwise("arctan2", np.arctan2, lambda out, x, y: (y / (x * x + y * y), -x / (x * x + y * y)), "math.atan2({x}, {y})", weight=30, sample=((0.4, 3.0), (0.4, 3.0)))
hypot = elementwise("hypot", np.hypot, lambda out, x, y: (x / out, y / out), "math.hypot({x}, {y})", weight=15, sample=((0.4, 3.0), (0.4, 3.0)))
sinh = elementwise("sinh", np.sinh, lambda out, x: (np.cosh(x),), "math.sinh({x})", weight=25)
cosh = elementwise("cosh", np.cosh, lambda out, x: (np.sinh(x),), "math.cosh({x})", weight=25)
tanh = elementwise("tanh", np.tanh, lambda out, x: (1 - out * out,), "tanh{bits}({x})", needs="tanh{bits}", weight=10)
# fmt: on


def _sigmoid(x):
    # Both halves without overflow: exp only of what is not positive.
    x = np.asarray(x)
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e)).astype(e.dtype)[()]


sigmoid = elementwise(
    "sigmoid", None, lambda out, x: (out * (1 - out),), "sigmoid{bits}({x})", needs="sigmoid{bits}", eval=_sigmoid,
    like=np.exp, weight=10,
)  # fmt: skip
