"""NumPy's reductions on traced values: axes counted from 0, then one op, then keepdims as a reshape."""

from __future__ import annotations

import numpy as np

from gradgen.errors import ShapeError
from gradgen.ir.sizes import holds, product
from gradgen.ir.source import users_line
from gradgen.ops import reductions, views
from gradgen.trace.protocol import FUNCTIONS, Traced
from gradgen.trace.vocabulary import axes_of, traces


def _reduce(op, x, axis, keepdims, dtype=None):
    shape, axes = x.type.shape, axes_of(x, axis, op.name)
    x = x if dtype is None else x.astype(dtype)
    out = op(x, axes=axes) if axes else x
    if keepdims:
        out = views.reshape(out, shape=tuple(1 if k in axes else n for k, n in enumerate(shape)))
    return out


def _widen(x):
    """NumPy sums small ints and bools as int64."""
    return x.astype(np.uint64 if x.dtype.kind == "u" else np.int64) if x.dtype.kind in "iub" else x


@traces(np.sum, method="sum")
def sum(x, axis=None, dtype=None, keepdims=False):
    return _reduce(reductions.sum, _widen(x), axis, keepdims, dtype)


@traces(np.prod, method="prod")
def prod(x, axis=None, dtype=None, keepdims=False):
    return _reduce(reductions.prod, _widen(x), axis, keepdims, dtype)


@traces(np.mean, method="mean")
def mean(x, axis=None, dtype=None, keepdims=False):
    x = x if x.dtype.kind == "f" else x.astype(np.float64)
    count = product(x.type.shape[k] for k in axes_of(x, axis, "mean"))
    return sum(x, axis, dtype, keepdims) / x.__gradgen_count__(count)


@traces(np.var, method="var")
def var(x, axis=None, dtype=None, ddof=0, keepdims=False):
    x = x if x.dtype.kind == "f" else x.astype(np.float64)
    count = product(x.type.shape[k] for k in axes_of(x, axis, "var"))
    centred = x - mean(x, axis, dtype, keepdims=True)
    count = count - ddof if holds(count, ">=", ddof) else 0
    return sum(centred * centred, axis, dtype, keepdims) / x.__gradgen_count__(count)


@traces(np.std, method="std")
def std(x, axis=None, dtype=None, ddof=0, keepdims=False):
    return np.sqrt(var(x, axis, dtype, ddof, keepdims))


def _require_elements(op, x, axes) -> None:
    if not all(holds(x.type.shape[k], "!=", 0) for k in axes):
        raise ShapeError(f"{op.name} of an empty array {x.type}: it has no identity", where=users_line())


def _extreme(op):
    def reduce(x, axis=None, keepdims=False):
        _require_elements(op, x, axes_of(x, axis, op.name))
        return _reduce(op, x, axis, keepdims)

    return reduce


FUNCTIONS[np.max] = FUNCTIONS[np.amax] = Traced.max = _extreme(reductions.max)  # type: ignore[attr-defined]
FUNCTIONS[np.min] = FUNCTIONS[np.amin] = Traced.min = _extreme(reductions.min)  # type: ignore[attr-defined]


def _truth(op):
    return lambda x, axis=None, keepdims=False: _reduce(op, x, axis, keepdims, np.bool_)


FUNCTIONS[np.any] = Traced.any = _truth(reductions.any)  # type: ignore[attr-defined]
FUNCTIONS[np.all] = Traced.all = _truth(reductions.all)  # type: ignore[attr-defined]


def _arg(op):
    def reduce(x, axis=None, keepdims=False):
        _require_elements(op, x, axes_of(x, axis, op.name))
        if axis is None:
            flat, axes = views.reshape(x, shape=(product(x.type.shape),)), (0,)
            out = op(flat, axes=axes)
            return views.reshape(out, shape=(1,) * x.ndim) if keepdims else out
        return _reduce(op, x, axis, keepdims)

    return reduce


FUNCTIONS[np.argmax] = Traced.argmax = _arg(reductions.argmax)  # type: ignore[attr-defined]
FUNCTIONS[np.argmin] = Traced.argmin = _arg(reductions.argmin)  # type: ignore[attr-defined]
