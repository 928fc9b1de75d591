"""Writing into arrays: `a.at[key].set(v)`, `a.at[key].add(v)`, and `a[key] = v` where a is an array of the trace's own.

A write makes a new value; in what is generated it happens in place where nobody reads the old one. An array that was
assigned into stands for its new value from then on. A view of it that was taken before would have changed in NumPy;
here, using it afterwards is an error, and so is assignment into a view or an argument.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradgen.errors import ShapeError
from gradgen.ir.sizes import product
from gradgen.ir.source import users_line
from gradgen.ops import updates, views
from gradgen.ops.reductions import arange_like
from gradgen.trace import promotion
from gradgen.trace.indexing import INT64, _full, _is_array, getitem
from gradgen.trace.promotion import broadcast, cast, is_traced, lift
from gradgen.trace.protocol import Traced
from gradgen.trace.ranges import range_of


class At:
    """a.at: `a.at[key]` names a place to write to."""

    __slots__ = ("array",)

    def __init__(self, array):
        self.array = array

    def __getitem__(self, key):
        return Place(self.array, key)


class Place:
    """a.at[key]: what can be done there."""

    __slots__ = ("array", "key")

    def __init__(self, array, key):
        self.array, self.key = array, key

    def set(self, value):
        """The array with `value`, broadcast, at this place. Where indices repeat, the last value stays."""
        return written(self.array, self.key, value, False)

    def add(self, value):
        """The array with `value` added at this place. Where indices repeat, all are added."""
        return written(self.array, self.key, value, True)

    def get(self):
        return self.array[self.key]


class Writable(np.ndarray):
    """A NumPy array with `.at`: what a loop's body receives outside of traces."""

    @property
    def at(self) -> At:
        return At(self)


def written(a, key, value, add: bool):
    """a[key] = value, or a[key] += value, as a new array."""
    if not is_traced(a):
        if not is_traced(value):
            out = a.copy()
            np.add.at(out, key, value) if add else out.__setitem__(key, value)
            return out
        a = lift(np.asarray(a), value)
    keys = _full(a, key if isinstance(key, tuple) else (key,))
    region = getitem(a, key)
    value = cast(lift(value, a), a.dtype)
    if value.type.shape != region.type.shape:
        promotion.broadcast_shapes("assignment", [value.type, region.type])
        lead = value.ndim - region.ndim
        if lead > 0 and any(n != 1 for n in value.type.shape[:lead]):
            raise ShapeError(f"assignment of {value.type} to {region.type}", where=users_line())
        value = views.reshape(value, shape=value.type.shape[lead:]) if lead > 0 else value
        value = broadcast(value, region.type.shape)
    if not any(_is_array(k) for k in keys):
        return _at_slice(a, keys, value, add)
    if len(keys) == a.ndim and _is_array(keys[0]) and all(isinstance(k, slice) and k == slice(None) for k in keys[1:]):
        index = cast(lift(np.asarray(keys[0]) if isinstance(keys[0], list) else keys[0], a), INT64)
        return (updates.index_add if add else updates.index_put)(a, value, index, axis=0)
    return _at_positions(a, key, value, add)


def _at_slice(a, keys: list, value, add: bool):
    starts, steps, shape, axis = [], [], [], 0
    for k in keys:
        if k is None:
            continue
        start, step, size = range_of(a, k, a.type.shape[axis], axis)
        starts.append(start)
        steps.append(step)
        shape.append(size)
        axis += 1
    if value.type.shape != tuple(shape):
        value = views.reshape(value, shape=tuple(shape))
    return (updates.put_add if add else updates.put)(a, value, starts=tuple(starts), steps=tuple(steps))


def _at_positions(a, key, value, add: bool):
    """Any key: the positions that it takes of 0, 1, 2, ... laid out like the array."""
    n = product(a.type.shape)
    order: Any = views.reshape(arange_like(lift(np.int64(0), a), n), shape=a.type.shape)
    positions = getitem(order, key) if is_traced(order) else order[key]  # on the tape sizes are numbers
    flat = (updates.index_add if add else updates.index_put)(views.reshape(a, shape=(n,)), value, positions, axis=0)
    return views.reshape(flat, shape=a.type.shape)


Traced.at = property(lambda self: At(self))  # type: ignore[attr-defined]
