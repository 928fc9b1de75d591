"""Reads and writes at indices that are data: `take` and its transpose."""

from __future__ import annotations

import numpy as np

from gradgen.ir.types import Type
from gradgen.ops.record import GATHER, SCATTER, Op, register


def _take_shape(x: Type, index: Type, axis: int):
    return (*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])


def gather_index(idx, x: Type, index: Type, axis: int):
    """Split an index of the result: what stands before the axis, the index into `index`, what stands after."""
    return idx[:axis], idx[axis : axis + index.ndim], idx[axis + index.ndim :]


# x[..., index, ...] along one axis; negative indices count from the end, others out of range raise IndexError
take = register(
    Op(
        "take",
        GATHER,
        lambda x, index, axis: np.take(x, index, axis=axis),
        lambda types, attrs: Type(types[0].dtype, _take_shape(types[0], types[1], **attrs)),
        index=gather_index,
        flops=0,
        weight=2,
        transposes=(lambda g, x, index, axis: scatter_add(g, index, axis=axis, shape=x.shape), None),
    )  # fmt: skip
)


def _scatter_add_eval(x, index, axis, shape):
    out = np.zeros(shape, x.dtype)
    np.add.at(out, (slice(None),) * axis + (index,), x)
    return out


# zeros of a shape, to which x is added at the indices: equal indices accumulate
scatter_add: Op = register(
    Op(
        "scatter_add",
        SCATTER,
        _scatter_add_eval,
        lambda types, attrs: Type(types[0].dtype, attrs["shape"]),
        combine="{acc} + {x}",
        index=gather_index,
        weight=2,
        transposes=(lambda g, x, index, axis, shape: np.take(g, index, axis=axis), None),
    )  # fmt: skip
)
