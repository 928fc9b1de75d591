"""Rewrite rules as rows: what to find, what to put there, the equation as the comment.

A rule must hold for nan and inf as well: x*0 = 0 and x-x = 0 do not, and are not here.
"""

from __future__ import annotations

import numpy as np

from gradgen.ir.types import Type
from gradgen.passes.patterns import call, numbers, scalar_value, variables

x, y, c, a, b, d = variables("x y c a b d")
m, n = numbers("m n")
where, exp, log, sqrt, square = call("where"), call("exp"), call("log"), call("sqrt"), call("square")
no, both, either = call("logical_not"), call("logical_and"), call("logical_or")
reciprocal = call("reciprocal")


def _floats(bound: dict, type: Type) -> bool:
    return type.is_float


def _in_range(bound: dict, type: Type) -> bool:
    """Whether the product of both numbers is one: x * 1e200 * 1e-200 is fine, x * 1e200 * 1e200 is not x * inf."""
    if not type.is_float:
        return False
    with np.errstate(all="ignore"):
        product = type.dtype.type(scalar_value(bound["m"])) * type.dtype.type(scalar_value(bound["n"]))
    return bool(np.isfinite(product) and abs(product) >= np.finfo(type.dtype).tiny)


ROWS = [
    (x + 0, x, None),  # x + 0 = x
    (x - 0, x, None),  # x - 0 = x
    (0 - x, -x, None),  # 0 - x = -x
    (x * 1, x, None),  # x * 1 = x
    (x / 1, x, None),  # x / 1 = x
    (x * -1, -x, None),  # x * -1 = -x
    (-(-x), x, None),  # -(-x) = x
    (x + x, x * 2, None),  # x + x = 2x
    (x + (-y), x - y, None),  # x + -y = x - y
    (x - (-y), x + y, None),  # x - -y = x + y
    (-x * -y, x * y, None),  # -x * -y = x * y
    ((-x) * m, x * (-m), None),  # -x * m = x * -m
    (-(x * m), x * (-m), None),  # -(x * m) = x * -m
    ((x * m) * n, x * (m * n), _in_range),  # (x * m) * n = x * (m * n)
    ((x * m) * (y * n), (x * y) * (m * n), _in_range),  # likewise, both sides
    (1 / x, reciprocal(x), _floats),  # 1 / x
    (x * reciprocal(y), x / y, _floats),  # x * (1 / y) = x / y
    (square(-x), square(x), None),  # (-x)^2 = x^2
    (x**1, x, None),  # x^1 = x
    (x**2, square(x), None),  # x^2 = x*x
    (x**3, square(x) * x, _floats),  # x^3 = x*x*x
    (x**-1, 1 / x, _floats),  # x^-1 = 1/x
    (x**0.5, sqrt(x), _floats),  # x^(1/2): NumPy computes it so
    (x**0, 1, None),  # x^0 = 1, also for nan, as in NumPy
    (where(c, x, x), x, None),  # both branches alike
    (where(no(c), x, y), where(c, y, x), None),  # not c: swap
    (where(c, where(c, a, b), d), where(c, a, d), None),  # c holds inside
    (where(c, a, where(c, b, d)), where(c, a, d), None),  # c fails inside
    (where(c, where(c, a, b) * x, d), where(c, a * x, d), None),  # a cotangent masked before and after its product
    (where(c, -where(c, a, b), d), where(c, -a, d), None),  # likewise
    (where(c, a, 0) + where(c, b, 0), where(c, a + b, 0), None),  # one branch twice
    (where(c, a, 0) + where(c, 0, b), where(c, a, b), None),  # both branches of one choice
    (no(no(c)), c, None),  # not not c = c
    (both(c, c), c, None),  # c and c = c
    (either(c, c), c, None),  # c or c = c
]
