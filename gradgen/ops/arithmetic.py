"""Arithmetic, comparisons and choice."""

from __future__ import annotations

import numpy as np

from gradgen.ops.record import elementwise

ANY = (-3.0, 3.0)
POSITIVE = (0.3, 3.0)
AWAY = (0.4, 3.0)  # away from zero

# fmt: off
add = elementwise("add", np.add, lambda out, x, y: (1, 1), "{x} + {y}", integer_emit="{x} + {y}", sample=(ANY, ANY))
subtract = elementwise("subtract", np.subtract, lambda out, x, y: (1, -1), "{x} - {y}", sample=(ANY, ANY))
multiply = elementwise("multiply", np.multiply, lambda out, x, y: (y, x), "{x} * {y}", sample=(ANY, ANY))
divide = elementwise("divide", (np.divide, np.true_divide), lambda out, x, y: (1 / y, -out / y), "{x} / {y}",
                     weight=4, sample=(ANY, AWAY))
negative = elementwise("negative", np.negative, lambda out, x: (-1,), "-{x}")
square = elementwise("square", np.square, lambda out, x: (2 * x,), "{x} * {x}")
reciprocal = elementwise("reciprocal", np.reciprocal, lambda out, x: (-out * out,), "{one} / {x}", weight=4, sample=(AWAY,))
absolute = elementwise("absolute", np.absolute, lambda out, x: (np.sign(x),), "abs({x})", sample=(AWAY,))
sign = elementwise("sign", np.sign, lambda out, x: (None,), "{one} if {x} > {zero} else -{one} if {x} < {zero} else {x}")
floor_divide = elementwise("floor_divide", np.floor_divide, lambda out, x, y: (None, None), "{x} // {y}", weight=6,
                           sample=(ANY, AWAY))
remainder = elementwise("remainder", (np.remainder, np.mod), lambda out, x, y: (1, -np.floor_divide(x, y)), "{x} % {y}",
                        weight=8, sample=((0.1, 0.9), (1.0, 3.0)))
floor = elementwise("floor", np.floor, lambda out, x: (None,), "np.floor({x})", integer_emit="{x}", sample=((0.1, 0.9),))
ceil = elementwise("ceil", np.ceil, lambda out, x: (None,), "np.ceil({x})", integer_emit="{x}", sample=((0.1, 0.9),))
rint = elementwise("rint", (np.rint,), lambda out, x: (None,), "np.rint({x})", integer_emit="{x}", sample=((0.6, 0.9),))
trunc = elementwise("trunc", np.trunc, lambda out, x: (None,), "np.trunc({x})", integer_emit="{x}", sample=((0.1, 0.9),))
# fmt: on


def _power_partials(out, x, y):
    # x**y at 0 is right for every integer y >= 0: y * x**(y-1) would be 0 * 0**-1 = nan at y = 0. The derivative for
    # y has log(0) * 0 at x = 0, whose limit is 0.
    flat, at_zero = y == 0, x == 0
    gx = np.where(flat, 0, y * np.power(x, np.where(flat, 1, y - 1)))
    gy = np.where(at_zero & (y >= 0), 0, out * np.log(np.where(at_zero, 1, x)))
    return gx, gy


power = elementwise(
    "power", np.power, _power_partials, "power{bits}({x}, {y})", needs="power{bits}",
    weight=20, sample=(POSITIVE, ANY),
)  # fmt: skip


def _halves(out, x, y):
    half = np.where(x == y, 0.5, 1).astype(out.dtype)  # ties share the gradient equally
    return half, half


_NAN_WINS = "{x} if {x} {sign}= {y} or {x} != {x} else {y}"
maximum = elementwise(
    "maximum", np.maximum, _halves, _NAN_WINS.replace("{sign}", ">"),
    masks=lambda out, x, y: (x >= y, y >= x), sample=(ANY, ANY),
)  # fmt: skip
minimum = elementwise(
    "minimum", np.minimum, _halves, _NAN_WINS.replace("{sign}", "<"),
    masks=lambda out, x, y: (x <= y, y <= x), sample=(ANY, ANY),
)  # fmt: skip


def _where_loop(dtypes):
    result = np.result_type(*(d if isinstance(d, np.dtype) else d() for d in dtypes[1:]))
    return np.dtype(bool), result, result, result


where = elementwise(
    "where", np.where, lambda out, c, x, y: (None, 1, 1), "{y} if {x} else {z}", loop=_where_loop,
    masks=lambda out, c, x, y: (None, c, np.logical_not(c)), sample=((0, 1), ANY, ANY),
)  # fmt: skip


def _flag(name, numpy, emit, arity=2):
    """An op whose result is a bool: nothing flows back through it."""
    return elementwise(name, numpy, None, emit, sample=(ANY,) * arity)


equal = _flag("equal", np.equal, "{x} == {y}")
not_equal = _flag("not_equal", np.not_equal, "{x} != {y}")
less = _flag("less", np.less, "{x} < {y}")
less_equal = _flag("less_equal", np.less_equal, "{x} <= {y}")
greater = _flag("greater", np.greater, "{x} > {y}")
greater_equal = _flag("greater_equal", np.greater_equal, "{x} >= {y}")
isnan = _flag("isnan", np.isnan, "{x} != {x}", 1)
isfinite = _flag("isfinite", np.isfinite, "math.isfinite({x})", 1)
isinf = _flag("isinf", np.isinf, "math.isinf({x})", 1)


def _bool_loop(arity):
    return lambda dtypes: (np.dtype(bool),) * (arity + 1)


logical_and = elementwise("logical_and", np.logical_and, None, "{x} & {y}", loop=_bool_loop(2), sample=((0, 1),) * 2)
logical_or = elementwise("logical_or", np.logical_or, None, "{x} | {y}", loop=_bool_loop(2), sample=((0, 1),) * 2)
logical_not = elementwise("logical_not", np.logical_not, None, "not {x}", loop=_bool_loop(1), sample=((0, 1),))
