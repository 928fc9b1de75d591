"""Indexing of traced values: basic keys become slices and reshapes, integer arrays become `take`."""

from __future__ import annotations

import numpy as np

from gradgen.errors import ShapeError, UnsupportedError
from gradgen.ir.sizes import Dim, freeze, product
from gradgen.ir.source import users_line
from gradgen.ops import indexing, views
from gradgen.trace import promotion
from gradgen.trace.promotion import is_traced, lift
from gradgen.trace.vocabulary import axis_of, traces


def _is_int(k) -> bool:
    return isinstance(k, (int, np.integer)) and not isinstance(k, (bool, np.bool_))


def _is_array(k) -> bool:
    return is_traced(k) or isinstance(k, (list, np.ndarray))


@traces("getitem")
def getitem(x, key):
    """x[key] for ints, slices, None, ... and integer arrays (one, or several side by side)."""
    keys = _full(x, key if isinstance(key, tuple) else (key,))
    arrays = [k for k in keys if _is_array(k)]
    axis, starts, steps, sizes, shape, advanced = 0, [], [], [], [], []
    for k in keys:
        if k is None:
            shape.append(1)
            continue
        n = x.type.shape[axis]
        start, step, size = _range(x, k, n, axis) if not _is_array(k) else (0, 1, n)
        starts.append(start)
        steps.append(step)
        sizes.append(size)
        if _is_array(k):
            advanced.append((len(shape), k))
        if not _is_int(k):
            shape.append(size)
        axis += 1
    whole = all(a == 0 for a in starts) and all(s == 1 for s in steps) and tuple(sizes) == x.type.shape
    out = x if whole else views.slice_(x, starts=tuple(starts), steps=tuple(steps), shape=tuple(sizes))
    if tuple(shape) != tuple(sizes):
        out = views.reshape(out, shape=tuple(shape))
    return _gather(out, advanced) if arrays else out


def _full(x, keys: tuple) -> list:
    """The key with its ellipsis written out, static masks as integer arrays."""
    flat: list = []
    for k in keys:
        if getattr(k, "dtype", None) == np.bool_ or (isinstance(k, list) and k and isinstance(k[0], bool)):
            if is_traced(k):
                raise UnsupportedError("indexing with a traced mask: the result's size is data", where=users_line(),
                                       hint="np.where(mask, x, 0) keeps the size")  # fmt: skip
            flat.extend(np.nonzero(np.asarray(k)))
        else:
            flat.append(k)
    used = sum(1 for k in flat if k is not None and k is not Ellipsis)
    if used > x.ndim:
        raise ShapeError(f"index of {used} axes into {x.type}: it has {x.ndim}", where=users_line())
    fill = [slice(None)] * (x.ndim - used)
    place = next((i for i, k in enumerate(flat) if k is Ellipsis), None)
    return flat + fill if place is None else flat[:place] + fill + flat[place + 1 :]


def _range(x, k, n, axis: int):
    """Start, step and size that a basic key takes from an axis of size n."""
    if isinstance(k, slice):
        return _slice_range(k, n)
    if hasattr(k, "__gradgen_dim__"):
        k = freeze(k.__gradgen_dim__)
    if not _is_int(k):
        raise UnsupportedError(f"an index of type {type(k).__name__}", where=users_line(),
                               hint="ints, slices, None, ... and integer arrays are traced")  # fmt: skip
    k = int(k)
    if not isinstance(n, Dim) and not -n <= k < n:
        error = ShapeError(f"index {k} of axis {axis} of {x.type}: its size is {n}", where=users_line())
        error.__class__ = _IndexShapeError
        raise error
    return (k + n if k < 0 else k), 1, 1


class _IndexShapeError(ShapeError, IndexError):
    """Also an IndexError: Python's iteration protocol and users' `except IndexError` rely on it."""


def _slice_range(k: slice, n):
    start, stop, step = (_known(v) for v in (k.start, k.stop, k.step))
    if not any(isinstance(v, Dim) for v in (n, start, stop)):
        a, b, s = slice(start, stop, step).indices(n)
        return a, s, len(range(a, b, s))
    step = 1 if step is None else step
    if step == 1:
        a = 0 if start is None else start if not _negative(start) else n + start
        b = n if stop is None else stop if not _negative(stop) else n + stop
        if not isinstance(b, Dim) and isinstance(n, Dim):
            b = min(b, freeze(n))  # x[:3] of n rows: 3 or n of them, so the kernel must know
        return a, 1, b - a
    if step == -1 and start is None and stop is None:
        return n - 1, -1, n
    return _slice_range(slice(start, stop, step), freeze(n))


def _known(v):
    return v.__gradgen_dim__ if hasattr(v, "__gradgen_dim__") else v if v is None else v.__index__()


def _negative(v) -> bool:
    return not isinstance(v, Dim) and v < 0


def _gather(x, advanced: list):
    """Take at integer arrays on neighbouring axes; several become one index into the joined axis."""
    first = advanced[0][0]
    if [place for place, _ in advanced] != list(range(first, first + len(advanced))):
        raise UnsupportedError("integer arrays on axes that are not neighbours", where=users_line(),
                               hint="move the axes together with np.moveaxis first")  # fmt: skip
    index = None
    for place, k in advanced:
        part = lift(np.asarray(k) if not is_traced(k) else k, x)
        if part.dtype.kind not in "iu":
            raise ShapeError(f"an index of dtype {part.dtype}", where=users_line(), hint="indices are integers")
        n = x.type.shape[place]
        if len(advanced) > 1:
            part = np.where(part < 0, part + x.__gradgen_count__(n), part)
        index = part if index is None else index * x.__gradgen_count__(n) + part
    if len(advanced) > 1:
        shape = x.type.shape
        joined = product(shape[first : first + len(advanced)])
        x = views.reshape(x, shape=(*shape[:first], joined, *shape[first + len(advanced) :]))
    return indexing.take(x, promotion.cast(index, np.dtype(np.int64)), axis=first)


@traces(np.take, method="take")
def take(x, indices, axis=None):
    if not is_traced(x):
        x = lift(x, indices)
    if axis is None:
        x, axis = x.ravel(), 0
    axis = axis_of(x, axis, "take")
    return getitem(x, (slice(None),) * axis + (np.asarray(indices) if not is_traced(indices) else indices,))
