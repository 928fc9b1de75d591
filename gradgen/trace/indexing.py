"""Indexing of traced values: basic keys become slices and reshapes, integer arrays become `take`."""

from __future__ import annotations

import numpy as np

from gradgen.errors import UnsupportedError
from gradgen.ir.sizes import Size, product, same
from gradgen.ir.source import users_line
from gradgen.ops import indexing, views
from gradgen.ops.reductions import arange_like
from gradgen.trace import promotion
from gradgen.trace.promotion import is_traced, lift
from gradgen.trace.ranges import IndexShapeError, range_of
from gradgen.trace.vocabulary import axis_of, traces

INT64 = np.dtype(np.int64)


def _is_array(k) -> bool:
    return is_traced(k) or isinstance(k, (list, np.ndarray))


def _is_mask(k) -> bool:
    return getattr(k, "dtype", None) == np.bool_ or (isinstance(k, list) and bool(k) and isinstance(k[0], bool))


@traces("getitem")
def getitem(x, key):
    """x[key] for ints, slices, None, ..., integer arrays and constant masks."""
    keys = _full(x, key if isinstance(key, tuple) else (key,))
    axis = 0
    ranges: list[tuple] = []
    shape: list[Size] = []
    arrays: list[tuple] = []
    for k in keys:
        if k is None:
            shape.append(1)
            continue
        n = x.type.shape[axis]
        start, step, size = range_of(x, k, n, axis) if not _is_array(k) else (0, 1, n)
        ranges.append((start, step, size))
        if _is_array(k):
            arrays.append((len(shape), k))
        if _is_array(k) or isinstance(k, slice):
            shape.append(size)
        axis += 1
    starts, steps, sizes = tuple(zip(*ranges, strict=True)) or ((), (), ())
    whole = all(a == 0 for a in starts) and all(s == 1 for s in steps) and sizes == x.type.shape
    out = x if whole else views.slice_(x, starts=starts, steps=steps, shape=sizes)
    if tuple(shape) != sizes:
        out = views.reshape(out, shape=tuple(shape))
    return _gather(out, arrays, _together(keys)) if arrays else out


def _full(x, keys: tuple) -> list:
    """The key with its ellipsis written out, constant masks as integer arrays."""
    widths = [0 if k is None or k is Ellipsis else np.ndim(k) if _is_mask(k) else 1 for k in keys]
    used = sum(widths)
    if used > x.ndim:
        raise IndexShapeError(f"index of {used} axes into {x.type}: it has {x.ndim}", where=users_line())
    flat: list = []
    fill = [slice(None)] * (x.ndim - used)
    axis = 0
    for k, width in zip(keys, widths, strict=True):
        if k is Ellipsis:
            flat, axis, fill = flat + fill, axis + len(fill), []
        else:
            flat.extend(_where_true(x, k, axis) if _is_mask(k) else [k])
            axis += width
    return flat + fill


def _where_true(x, mask, axis: int) -> tuple:
    if is_traced(mask):
        raise UnsupportedError("indexing with a traced mask: the result's size is data", where=users_line(),
                               hint="np.where(mask, x, 0) keeps the size")  # fmt: skip
    mask = np.asarray(mask)
    if not all(same(n, m) for n, m in zip(x.type.shape[axis:], mask.shape, strict=False)):
        raise IndexShapeError(f"index {x.type} with a mask of shape {mask.shape} at axis {axis}", where=users_line())
    return np.nonzero(mask)


def _together(keys: list) -> bool:
    """Whether arrays, and ints beside them, are neighbours: else their axes come first in the result, as in NumPy."""
    places = [i for i, k in enumerate(keys) if k is not None and not isinstance(k, slice)]
    return places == list(range(places[0], places[0] + len(places)))


def _gather(x, arrays: list, together: bool):
    """Take at integer arrays; several become one index into their axes, joined."""
    places = [place for place, _ in arrays]
    if not together:
        x = np.transpose(x, (*places, *(k for k in range(x.ndim) if k not in places)))
    first = places[0] if together else 0
    shape = x.type.shape
    sizes = shape[first : first + len(arrays)]
    index, *others = (_index(k) for _, k in arrays)
    if others:
        index = _checked(x, index, sizes[0])
        for k, n in zip(others, sizes[1:], strict=True):
            index = index * (n if isinstance(n, int) else lift(index, x).__gradgen_count__(n)) + _checked(x, k, n)
        x = views.reshape(x, shape=(*shape[:first], product(sizes), *shape[first + len(arrays) :]))
    return indexing.take(x, lift(index, x), axis=first)


def _index(k):
    """An index array of int64, a constant one as NumPy's."""
    part = k if is_traced(k) else np.asarray(k) if np.size(k) else np.asarray(k, INT64)
    if part.dtype.kind not in "iu":
        raise IndexShapeError(f"an index of dtype {part.dtype}", where=users_line(), hint="indices are integers")
    return promotion.cast(part, INT64) if is_traced(part) else part.astype(INT64)


def _checked(x, index, n):
    """The index, counted from 0 and within its axis, which joining it with others would no longer show."""
    if is_traced(index) or not isinstance(n, int):
        index = lift(index, x)
        return indexing.take(arange_like(index, n), index, axis=0)
    if index.size and not -n <= index.min() <= index.max() < n:
        raise IndexShapeError(f"index {index.min()}..{index.max()} into an axis of size {n}", where=users_line())
    return index % max(n, 1)


@traces(np.take, method="take")
def take(x, indices, axis=None):
    if not is_traced(x):
        x = lift(x, indices)
    if axis is None:
        x, axis = x.ravel(), 0
    axis = axis_of(x, axis, "take")
    return getitem(x, (slice(None),) * axis + (np.asarray(indices) if not is_traced(indices) else indices,))
