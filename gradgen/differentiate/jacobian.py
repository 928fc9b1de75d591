"""Whole derivatives: one pullback or pushforward, batched over all unit vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradgen.differentiate.batch import batch
from gradgen.differentiate.forward import pushforward
from gradgen.differentiate.reverse import pullback
from gradgen.differentiate.rules import wrap
from gradgen.differentiate.transforms import Fresh, zeros
from gradgen.errors import ArgumentError, DifferentiationError
from gradgen.ir.graph import Builder, Node
from gradgen.ir.sizes import hint
from gradgen.ir.source import users_line
from gradgen.trace.pytree import flatten, unflatten
from gradgen.trace.tracer import Tracer, fresh_input, lift_output


def jacobian(function, positions: tuple[int, ...], single: bool, mode: str, names=()) -> Callable:
    """args -> arrays of shape out.shape + in.shape, a tuple for a tuple of argnums."""

    def transformed(*args):
        call = Fresh(function, args, positions, names)
        call.require_floats("jacobian")
        outs, spec = flatten(call.result)
        outs = [lift_output(call.builder, x) for x in outs]
        call.label(outs)
        rows = [_jacobian_rows(call, out, mode) for out in outs]  # per output, per input
        flat = call.back([n for row in rows for n in row])
        count = len(call.inputs)
        blocks = [call.trees(flat[k * count : (k + 1) * count]) for k in range(len(outs))]
        # the output's structure outside, the arguments' inside, as in JAX: H[0][1] differentiates by 0, then by 1
        return unflatten(spec, [b[0] if single else tuple(b) for b in blocks])

    return transformed


def _jacobian_rows(call: Fresh, out: Tracer, mode: str) -> list[Node]:
    if out.dtype.kind != "f":
        raise DifferentiationError(f"jacobian of an output of type {out.type}: it is not a float", where=users_line())
    if mode == "auto":
        size, width = out.type.size, sum((x.type.size for x in call.inputs), 0)
        mode = "forward" if _hint(width) < _hint(size) else "reverse"
    if mode not in ("forward", "reverse"):
        raise ArgumentError(f"jacobian: mode={mode!r}", hint='modes are "forward", "reverse" and "auto"')
    if mode == "reverse":
        return _rows_reverse(call, out)
    return [_columns_forward(call, out, x) for x in call.inputs]


def _hint(size) -> int:
    found = hint(size)
    return found if found is not None else 1 << 30


def _unit_vectors(builder: Builder, like: Tracer) -> Any:
    """All unit vectors of a type, along a leading axis."""
    n, shape = like.type.size, like.type.shape
    probe = wrap(builder, like.node)
    if shape == ():
        return np.reshape(np.ones_like(probe), (1,))
    place = np.zeros_like(probe).astype(np.int64).__gradgen_iota__(n)
    column: Any = (n, 1)
    eye = (np.reshape(place, column) == place).astype(like.dtype)
    units: Any = (n, *shape)
    return np.reshape(eye, units)


def _rows_reverse(call: Fresh, out: Tracer) -> list[Node]:
    builder, wrt = call.builder, [x.node for x in call.inputs]
    g = fresh_input(builder, out.type)
    found = pullback(builder, [out.node], [g.node], wrt)
    rows = [f if f is not None else zeros(builder, n) for f, n in zip(found, wrt, strict=True)]
    units = _unit_vectors(builder, out)
    rows = batch(builder, rows, {g.node: units.node}, out.type.size)
    return [_shaped(wrap(builder, r), (*out.type.shape, *n.shape)) for r, n in zip(rows, wrt, strict=True)]


def _shaped(x: Any, shape: Any) -> Node:
    out: Any = np.reshape(x, shape)
    return out.node


def _columns_forward(call: Fresh, out: Tracer, x: Tracer) -> Node:
    builder = call.builder
    t = fresh_input(builder, x.type)
    (pushed,) = pushforward(builder, [out.node], [x.node], [t.node])
    units = _unit_vectors(builder, x)
    tangent = pushed if pushed is not None else zeros(builder, out.node)
    (columns,) = batch(builder, [tangent], {t.node: units.node}, x.type.size)
    return _shaped(np.moveaxis(wrap(builder, columns), 0, -1), (*out.type.shape, *x.type.shape))
