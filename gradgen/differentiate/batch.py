"""Batching: the graph of one example -> the graph of a batch, whose values have a leading axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gradgen.differentiate import batched_loops, branches
from gradgen.differentiate.rules import wrap
from gradgen.errors import UnsupportedError
from gradgen.ir.graph import Builder, Node, reachable
from gradgen.ir.sizes import Dim, Size
from gradgen.ops.control import is_item, loop
from gradgen.ops.indexing import take
from gradgen.ops.record import CALL, CONTROL, ELEMENTWISE, GATHER, JOIN, LEAF, REDUCTION, SCATTER, UPDATE, VIEW
from gradgen.ops.reductions import arange_like


def batch(builder: Builder, outputs: Sequence[Node], batched: Mapping[Node, Node], size: Size) -> list[Node]:
    """`outputs` for a batch: `batched` maps inputs to values with a leading axis of `size`. All results have it."""
    found = differing(builder, outputs, batched, size)
    return [n if varies else _spread(wrap(builder, n), size).node for n, varies in found]


def differing(
    builder: Builder, outputs: Sequence[Node], batched: Mapping[Node, Node], size: Size
) -> list[tuple[Node, bool]]:
    """Each output with whether it differs within the batch: only those that do have the leading axis."""
    known: dict[Node, Any] = {n: wrap(builder, b) for n, b in batched.items()}
    alike: dict[Node, Node] = {}  # made anew, since it comes out of a loop that differs, but the same for all examples
    results: dict[Node, list[tuple[Node, bool]]] = {}  # of loops and branches
    outer = builder.origin
    lengths: dict[str, Size] = {}  # of loops that run as long as any example needs
    for node in reachable(outputs):
        if node in known:
            continue
        builder.origin = node.source or outer
        plain = [alike.get(n, n) for n in node.inputs]
        if is_item(node) and node.inputs[0] in results:
            found, varies = results[node.inputs[0]][node.attrs["place"]]
            known.update({node: wrap(builder, found)} if varies else {})
            alike.update({} if varies else {node: found})
        elif any(n in known for n in node.inputs) and node.op.kind == CONTROL:
            given = [
                (known[n].node, True) if n in known else (p, False) for n, p in zip(node.inputs, plain, strict=True)
            ]
            results[node] = _control(builder, node, given, size, lengths)
        elif lengths and node.op.kind not in (ELEMENTWISE, CONTROL) and _is_ragged(node, lengths):
            raise UnsupportedError(
                f"vmap: {node.op.name} of an array whose length differs from example to example", where=node.source,
                hint="sum it up in the carry of the loop that makes it",
            )  # fmt: skip
        elif any(n in known for n in node.inputs):
            rule = RULES.get(node.op.kind)
            if rule is None:
                raise UnsupportedError(f"{node.op.name} has no batching rule", where=node.source)
            xs = [known.get(n) for n in node.inputs]
            renamed = Node(node.op, node.inputs, _renamed(node.attrs, lengths), node.type, node.source, node.id)
            known[node] = rule(renamed, xs, [wrap(builder, n) for n in plain], size)
        elif plain != list(node.inputs) or _renamed(node.attrs, lengths) != node.attrs:
            alike[node] = builder.add(node.op, plain, _renamed(node.attrs, lengths), node.source)
    builder.origin = outer
    return [(known[n].node, True) if n in known else (alike.get(n, n), False) for n in outputs]


def _control(builder: Builder, node: Node, given: list, size: Size, lengths: dict) -> list[tuple[Node, bool]]:
    if node.op is loop:
        return batched_loops.Batch(builder, node, given, size, differing).results(lengths)
    return branches.batch(builder, node, given, size, differing)


def _is_ragged(node: Node, lengths: dict[str, Size]) -> bool:
    """Whether a value is made from arrays that have as many rows as an example makes steps, or from their number."""
    sizes = [n for x in node.inputs for n in x.shape] + ([node.attrs["size"]] if node.op.name == "size" else [])
    return any(s.name in lengths for n in sizes if isinstance(n, Dim) for s in n.symbols())


def _renamed(value, lengths: dict[str, Size]):
    """Attributes with the lengths that loops have in the batch."""
    if isinstance(value, dict):
        return {k: _renamed(v, lengths) for k, v in value.items()} if lengths else value
    if isinstance(value, tuple):
        return tuple(_renamed(v, lengths) for v in value)
    if isinstance(value, Dim):
        return value.value({s.name: lengths.get(s.name, Dim((((s,), 1),))) for s in value.symbols()})  # type: ignore[misc]
    return value


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


def _update(node: Node, xs, plain, size):
    base, value, *index = xs
    base = base if base is not None else _spread(plain[0], size)
    value = value if value is not None else _spread(plain[1], size)
    attrs = dict(node.attrs)
    if "starts" in attrs:
        attrs.update(starts=(0, *attrs["starts"]), steps=(1, *attrs["steps"]))
        return node.op(base, value, **attrs)
    axis = attrs["axis"]
    if index[0] is None:
        return node.op(base, value, plain[2], axis=axis + 1)
    n = base.shape[axis + 1]
    table = np.moveaxis(base, axis + 1, 1)
    flat = np.reshape(table, (size * n, *table.shape[2:]))
    source = _move_block(value, axis + 1, index[0].ndim - 1, 1)
    out = node.op(flat, source, _joint_index(index[0], size, n), axis=0)
    return np.moveaxis(np.reshape(out, table.shape), 1, axis + 1)


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
    SCATTER: _scatter, UPDATE: _update,
}  # fmt: skip
assert LEAF not in RULES  # leaves are made from no other value: the same for the whole batch
