"""Values that are made from no other, and the ops that only change what a value is called: its dtype, its derivative."""

from __future__ import annotations

import numpy as np

from gradgen.ir.graph import Builder, Constant, Node
from gradgen.ir.source import Source
from gradgen.ir.types import Type
from gradgen.ops.record import ELEMENTWISE, LEAF, Op, register

FLOAT64 = np.dtype(np.float64)
INT64 = np.dtype(np.int64)


def _no_value(**attrs):
    raise AssertionError("an input has no value of its own")


input = register(Op("input", LEAF, _no_value, lambda types, a: a["type"], flops=0, weight=0))


def fresh(builder: Builder, type: Type, label: str | None = None, source: Source | None = None) -> Node:
    """A new input, unlike all others."""
    node = builder.add(input, (), {"index": builder.fresh(), "type": type}, source)
    node.label = label
    return node


def _constant_type(types, attrs) -> Type:
    value = attrs["value"]
    return Type(attrs["dtype"], value.array.shape if isinstance(value, Constant) else ())


def _constant_value(value, dtype):
    return value.array if isinstance(value, Constant) else dtype.type(value)


constant = register(Op("constant", LEAF, _constant_value, _constant_type, flops=0, weight=0))
# 0, 1, 2, ... along one axis of a shape
iota = register(
    Op(
        "iota",
        LEAF,
        lambda shape, axis, dtype: _iota(shape, axis, dtype),
        lambda types, a: Type(a["dtype"], a["shape"]),
        flops=0,
        weight=0,
    )  # fmt: skip
)
# the value of a symbolic size, for arithmetic
size = register(Op("size", LEAF, _no_value, lambda types, a: Type(INT64), flops=0, weight=0))


def _iota(shape, axis, dtype):
    column = np.arange(shape[axis], dtype=dtype).reshape([-1 if k == axis else 1 for k in range(len(shape))])
    return np.broadcast_to(column, shape)


def _cast(x, dtype):
    return np.asarray(x).astype(dtype)[()]


astype = register(
    Op(
        "astype",
        ELEMENTWISE,
        _cast,
        lambda types, a: Type(a["dtype"], types[0].shape),
        partials=lambda out, x: (1,),
        emit="{dtype}({x})",
        sample=((-3.0, 3.0),),
        flops=0,
    )  # fmt: skip
)
stop_gradient = register(
    Op(
        "stop_gradient",
        ELEMENTWISE,
        lambda x: x,
        lambda types, a: types[0],
        partials=lambda out, x: (None,),
        emit="{x}",
        sample=((-3.0, 3.0),),
        flops=0,
        weight=0,
    )  # fmt: skip
)
# an output that would share its memory with another value
copy = register(
    Op(
        "copy",
        ELEMENTWISE,
        lambda x, place: np.copy(x),
        lambda types, a: types[0],
        partials=lambda out, x: (1,),
        emit="{x}",
        sample=((-3.0, 3.0),),
        flops=0,
    )  # fmt: skip
)
