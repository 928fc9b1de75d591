"""vmap over pytrees: a function of one example, traced once, as a function of a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradgen.differentiate.batch import batch
from gradgen.errors import ArgumentError, ShapeError
from gradgen.ir.graph import Builder, Node
from gradgen.ir.sizes import same
from gradgen.ir.source import users_line
from gradgen.trace.active import active_builder
from gradgen.trace.pytree import flatten, unflatten
from gradgen.trace.tracer import Tracer, fresh_input, lift_output, lifted


def _traced(builder: Builder, node: Node) -> Any:
    return Tracer(builder, node)


def vmap(function, in_axes, out_axes) -> Callable:
    """A function of one example as a function of a batch."""

    def transformed(*args):
        axes = in_axes if isinstance(in_axes, (tuple, list)) else (in_axes,) * len(args)
        if len(axes) != len(args):
            raise ArgumentError(f"vmap: in_axes {axes} for {len(args)} arguments")
        builder: Builder = active_builder()  # type: ignore[assignment]
        size, mapping, call = None, {}, []
        for arg, axis in zip(args, axes, strict=True):
            found, spec = flatten(arg)
            ins = []
            for leaf in found:
                x = lifted(builder, leaf)
                if axis is None:
                    ins.append(x)
                    continue
                if x.ndim == 0:
                    raise ShapeError(f"vmap: a scalar {x.type} has no axis {axis} to map over", where=users_line(),
                                     hint="in_axes=None for arguments that all examples share")  # fmt: skip
                x = np.moveaxis(x, axis, 0)
                if size is not None and not same(size, x.type.shape[0]):
                    raise ShapeError(f"vmap: batch sizes {size} and {x.type.shape[0]} differ", where=users_line())
                size = x.type.shape[0]
                one = fresh_input(builder, x.type.with_shape(x.type.shape[1:]))
                mapping[one.node] = x.node
                ins.append(one)
            call.append(unflatten(spec, ins))
        if size is None:
            raise ArgumentError("vmap: no argument is mapped over", hint="give at least one axis in in_axes")
        outs, spec = flatten(function(*call))
        results = batch(builder, [lift_output(builder, x).node for x in outs], mapping, size)
        return unflatten(spec, [np.moveaxis(_traced(builder, r), 0, out_axes) for r in results])

    return transformed
