"""NumPy's functions of single elements that are not one op: choice, casts, compositions."""

from __future__ import annotations

import numpy as np

from gradgen.errors import DTypeError, UnsupportedError
from gradgen.ir.source import users_line
from gradgen.ops import arithmetic, leaves
from gradgen.trace import promotion
from gradgen.trace.promotion import lift
from gradgen.trace.protocol import FUNCTIONS
from gradgen.trace.vocabulary import traces


@traces(np.where)
def where(condition, x=None, y=None):
    if x is None or y is None:
        raise UnsupportedError("np.where with one argument: the size of its result is data", where=users_line(),
                               hint="np.where(condition, a, b) chooses element by element")  # fmt: skip
    return promotion.elementwise(arithmetic.where, (condition, x, y))


@traces(np.clip, method="clip")
def clip(x, a_min=None, a_max=None, *, min=None, max=None):
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    x = x if low is None else np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


@traces(method="astype")
def astype(x, dtype, copy=True):
    dtype = np.dtype(dtype)
    out = promotion.cast(x, dtype)
    if out is not x:
        return out
    return x.__gradgen_apply__(leaves.astype, (x,), {"dtype": dtype}) if x.weak else x.__gradgen_copy__()


@traces(np.copy, method="copy")
def copy(x):
    return x.__gradgen_copy__()


@traces(np.zeros_like)
def zeros_like(x, dtype=None):
    return full_like(x, 0, dtype)


@traces(np.ones_like)
def ones_like(x, dtype=None):
    return full_like(x, 1, dtype)


@traces(np.full_like)
def full_like(x, fill_value, dtype=None):
    return promotion.broadcast(promotion.cast(lift(fill_value, x), np.dtype(dtype or x.dtype)), x.type.shape)


@traces(np.shape)
def shape(x):
    return x.shape


@traces(np.ndim)
def ndim(x):
    return x.ndim


@traces(np.size)
def size(x, axis=None):
    return x.size if axis is None else x.shape[axis]


def _bitwise(logical, name):
    def apply(*args):
        if all(promotion.dtype_of(x) in (bool, np.dtype(bool)) for x in args):
            return promotion.elementwise(logical, args)
        raise DTypeError(f"bitwise {name} of numbers is not traced", where=users_line(),
                         hint="& | ~ combine comparisons: put each in parentheses")  # fmt: skip

    return apply


FUNCTIONS[np.bitwise_and] = _bitwise(arithmetic.logical_and, "and")
FUNCTIONS[np.bitwise_or] = _bitwise(arithmetic.logical_or, "or")
FUNCTIONS[np.invert] = _bitwise(arithmetic.logical_not, "not")
FUNCTIONS[np.positive] = copy
FUNCTIONS[np.fabs] = lambda x: np.absolute(x if x.dtype.kind == "f" else x.astype(np.float64))


def _float_power(x, y):
    like = promotion.exemplar((x, y))
    return np.power(*(promotion.cast(lift(v, like), np.dtype(np.float64)) for v in (x, y)))


FUNCTIONS[np.float_power] = _float_power
FUNCTIONS[np.exp2] = lambda x: np.exp(x * float(np.log(2.0)))
FUNCTIONS[np.deg2rad] = FUNCTIONS[np.radians] = lambda x: x * (np.pi / 180)
FUNCTIONS[np.rad2deg] = FUNCTIONS[np.degrees] = lambda x: x * (180 / np.pi)


def _logaddexp(x, y):
    top = np.maximum(x, y)
    return np.where(np.isinf(top), top, top + np.log1p(np.exp(-np.abs(x - y))))


FUNCTIONS[np.logaddexp] = _logaddexp
