"""Updates: a copy of an array in which some elements are written. Linear in both operands, jointly.

`put` writes at a slice, `index_put` where an integer array says, along one axis; `put_add` and `index_add` add there.
In what is generated the copy is left out where nobody reads the old array afterwards.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradgen.ops.indexing import gather_index, take
from gradgen.ops.record import UPDATE, Op, register
from gradgen.ops.views import _slices, _strided_index, slice_


def _update(name, eval, combine, index, transposes, **facts) -> Op:
    return register(
        Op(
            name,
            UPDATE,
            eval,
            lambda types, attrs: types[0],
            combine=combine,
            index=index,
            transposes=transposes,
            **facts,
        )  # fmt: skip
    )


def _put_eval(x, y, starts, steps):
    out = np.array(x)
    out[_slices(starts, steps, y.shape)] = y
    return out


def _put_add_eval(x, y, starts, steps):
    out = np.array(x)
    out[_slices(starts, steps, y.shape)] += y
    return out


def _put_index(idx, y, starts, steps):
    return _strided_index(idx, y, starts, steps, y.shape)


def _part(g, x, y, starts, steps):
    return slice_(g, starts=starts, steps=steps, shape=y.shape)


put: Op = _update(
    "put", _put_eval, "{x}", _put_index,
    (lambda g, x, y, starts, steps: put(g, np.zeros_like(y), starts=starts, steps=steps), _part), flops=0,
)  # fmt: skip
put_add = _update("put_add", _put_add_eval, "{acc} + {x}", _put_index, (lambda g, x, y, starts, steps: g, _part))


def _index_put_eval(x, y, index, axis):
    out = np.array(x)
    out[(slice(None),) * axis + (index,)] = y
    return out


def _index_add_eval(x, y, index, axis):
    out = np.array(x)
    np.add.at(out, (slice(None),) * axis + (index,), y)
    return out


def _written(g, x, y, index, axis):
    """The cotangent of what was written. Of values written to one place the last stays, and it alone counts."""
    found = take(g, index, axis=axis)
    if index.ndim == 0 or 0 in index.shape:
        return found
    n = g.shape[axis]
    order = np.reshape(_positions(index), index.shape)
    first = np.broadcast_to(np.zeros_like(np.reshape(order, (-1,))[:1]), (n,))
    last = take(index_put(first, order, index, axis=0), index, axis=0) == order
    ones = (*index.shape, *(1,) * (g.ndim - axis - 1))
    return np.where(np.reshape(last, ones), found, 0)


def _positions(index):
    """0, 1, 2, ... for the elements of an index array, in order."""
    flat: Any = np.reshape(index, (-1,))
    return flat.__gradgen_iota__(flat.type.size) if hasattr(index, "__gradgen_iota__") else np.arange(index.size)


index_put: Op = _update(
    "index_put", _index_put_eval, "{x}", gather_index,
    (lambda g, x, y, index, axis: index_put(g, np.zeros_like(y), index, axis=axis), _written, None),
    flops=0, weight=2,
)  # fmt: skip
index_add = _update(
    "index_add", _index_add_eval, "{acc} + {x}", gather_index,
    (lambda g, x, y, index, axis: g, lambda g, x, y, index, axis: take(g, index, axis=axis), None), weight=2,
)  # fmt: skip
