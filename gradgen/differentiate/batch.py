"""Batching: the graph of one example -> the graph of a batch, whose values have a leading axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gradgen.differentiate.rules import wrap
from gradgen.errors import UnsupportedError
from gradgen.ir.graph import Builder, Node, reachable
from gradgen.ir.sizes import Size
from gradgen.ops.indexing import take
from gradgen.ops.record import CALL, ELEMENTWISE, GATHER, JOIN, LEAF, REDUCTION, SCATTER, VIEW
from gradgen.ops.reductions import arange_like


def batch(builder: Builder, outputs: Sequence[Node], batched: Mapping[Node, Node], size: Size) -> list[Node]:
    """`outputs` for a batch: `batched` maps inputs to values with a leading axis of `size`. All results have it."""
    known = {n: wrap(builder, b) for n, b in batched.items()}
    for node in reachable(outputs):
        if node in known or not any(n in known for n in node.inputs):
            continue
        rule = RULES.get(node.op.kind)
        if rule is None:
            raise UnsupportedError(f"{node.op.name} has no batching rule", where=node.source)
        builder.origin = node.source
        xs = [known.get(n) for n in node.inputs]
        known[node] = rule(node, xs, [wrap(builder, n) for n in node.inputs], size)
    builder.origin = None
    return [(known[n] if n in known else _spread(wrap(builder, n), size)).node for n in outputs]


def _spread(x: Any, size: Size) -> Any:
    """One value for the whole batch."""
    shape: Any = (size, *x.shape)
    return np.broadcast_to(x, shape)


def _all(xs, plain, size):
    return [x if x is not None else _spread(p, size) for x, p in zip(xs, plain, strict=True)]


def _elementwise(node: Node, xs, plain, size):
    return node.op(*_all(xs, plain, size), **node.attrs)


def _reduction(node: Node, xs, plain, size):
    return node.op(xs[0], axes=tuple(a + 1 for a in node.attrs["axes"]))


def _view(node: Node, xs, plain, size):
    (x,) = xs
    attrs = dict(node.attrs)
    if "perm" in attrs:
        return node.op(x, perm=(0, *(p + 1 for p in attrs["perm"])))
    if "starts" in attrs:
        attrs.update(starts=(0, *attrs["starts"]), steps=(1, *attrs["steps"]))
    attrs["shape"] = (size, *attrs["shape"])
    missing = len(attrs["shape"]) - x.ndim
    if missing > 0 and "starts" not in attrs:  # broadcast_to adds leading axes: they go behind the batch axis
        x = np.reshape(x, (size, *(1,) * missing, *x.shape[1:]))
    return node.op(x, **attrs)


def _join(node: Node, xs, plain, size):
    return node.op(*_all(xs, plain, size), axis=node.attrs["axis"] + 1)


def _call(node: Node, xs, plain, size):
    return node.op(*_all(xs, plain, size), **node.attrs)


def _gather(node: Node, xs, plain, size):
    (x, index), axis = xs, node.attrs["axis"]
    if index is None:
        return node.op(x, plain[1], axis=axis + 1)
    if x is None:
        return np.moveaxis(node.op(plain[0], index, axis=axis), axis, 0)
    n = x.shape[axis + 1]
    table = np.moveaxis(x, axis + 1, 1)
    flat = np.reshape(table, (size * n, *table.shape[2:]))
    out = node.op(flat, _joint_index(index, size, n), axis=0)  # (B, *index, *rest of x)
    return _move_block(out, 1, index.ndim - 1, axis + 1)


def _scatter(node: Node, xs, plain, size):
    if len(xs) == 1:
        return _view(node, xs, plain, size)
    (x, index), axis, shape = xs, node.attrs["axis"], node.attrs["shape"]
    if index is None:
        return node.op(x, plain[1], axis=axis + 1, shape=(size, *shape))
    x = x if x is not None else _spread(plain[0], size)
    n, rest = shape[axis], (*shape[:axis], *shape[axis + 1 :])
    source = _move_block(x, axis + 1, index.ndim - 1, 1)
    out = node.op(source, _joint_index(index, size, n), axis=0, shape=(size * n, *rest))
    return np.moveaxis(np.reshape(out, (size, n, *rest)), 1, axis + 1)


def _joint_index(index, size, n):
    """Indices into size tables of n rows laid out one after the other."""
    index = take(arange_like(index, n), index, axis=0)  # a row of its own table, counted from 0
    start = index.__gradgen_iota__(size) * index.__gradgen_count__(n)
    return index + np.reshape(start, (size, *(1,) * (index.ndim - 1)))


def _move_block(x, source: int, count: int, destination: int):
    """Move `count` neighbouring axes."""
    rest = [k for k in range(x.ndim) if not source <= k < source + count]
    return np.transpose(x, (*rest[:destination], *range(source, source + count), *rest[destination:]))


RULES: dict[str, Callable] = {
    ELEMENTWISE: _elementwise, REDUCTION: _reduction, VIEW: _view, JOIN: _join, CALL: _call, GATHER: _gather,
    SCATTER: _scatter,
}  # fmt: skip
assert LEAF not in RULES  # leaves are made from no other value: the same for the whole batch
