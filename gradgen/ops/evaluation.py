"""Graphs evaluated op by op on NumPy arrays, without a compiler: the meaning of a graph, control flow included."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradgen.ir.graph import Graph, Node
from gradgen.ir.sizes import Dim
from gradgen.ir.sizes import evaluate as size_value
from gradgen.ops.control import Parts, branch, is_item, loop


def evaluate(graph: Graph, inputs: Sequence, sizes: dict[str, int] | None = None) -> list:
    """The outputs of a graph, one per entry of `graph.outputs`, by the `eval` of each op on NumPy arrays.

    inputs: one array or number per entry of `graph.inputs`, of its dtype. Raises AssertionError where an op's value
    does not have the dtype and shape that the graph says.
    """
    sizes = {} if sizes is None else sizes
    values: dict = {}
    for node, x in zip(graph.inputs, inputs, strict=True):
        values[node] = np.asarray(x, node.dtype)[()]
        known = zip(node.shape, np.shape(x), strict=True)
        sizes.update({str(n): m for n, m in known if isinstance(n, Dim) and str(n).isidentifier()})
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            if node not in values:
                values[node] = _value(node, [values[n] for n in node.inputs], sizes)
    return [np.array(values[n])[()] for n in graph.outputs]


def _value(node: Node, xs: list, sizes: dict[str, int]):
    if is_item(node):
        return xs[0][node.attrs["place"]]
    if node.op is loop:
        return _loop(Parts(node), xs, sizes)
    if node.op is branch:
        chosen = node.attrs["then" if xs[0] else "otherwise"]
        return evaluate(chosen, xs[1:], sizes)
    attrs = {k: _numbers(v, sizes) for k, v in node.attrs.items()}
    out = np.int64(attrs["size"]) if node.op.name == "size" else node.op.eval(*xs, **attrs)
    found, said = (np.asarray(out).dtype, np.shape(out)), (node.dtype, _numbers(node.shape, sizes))
    assert found == said, f"{node} evaluates to {found}"
    return out


def _numbers(value, sizes: dict[str, int]):
    if isinstance(value, tuple):
        return tuple(_numbers(v, sizes) for v in value)
    return size_value(value, sizes) if isinstance(value, Dim) else value


def _loop(parts: Parts, xs: list, sizes: dict[str, int]) -> tuple:
    given = xs[int(parts.count is not None) :]
    carries, rows = list(given[: parts.carries]), given[parts.carries : parts.carries + parts.rows]
    outside = given[parts.carries + parts.rows :]
    history: list[list] = []
    stacked: list[list] = []
    n = None
    if parts.condition is None:
        n = int(xs[0]) if parts.count is not None else size_value(parts.length, sizes)
    done = 0
    while done < n if n is not None else _holds(parts, done, carries, outside, sizes):
        at = n - 1 - done if parts.reverse else done  # type: ignore[operator]
        history.append(carries)
        outs = evaluate(parts.body, [at, *carries, *(x[at] for x in rows), *outside], sizes)
        carries = outs[: parts.carries]
        stacked.append(outs[parts.carries :])
        done += 1
    if isinstance(parts.length, Dim) and parts.is_open:
        sizes[str(parts.length)] = done
    order = slice(None, None, -1 if parts.reverse else 1)
    results = parts.body.outputs
    ys = [_stack([s[k] for s in stacked][order], results[parts.carries + k].type) for k in range(parts.stacked)]
    past = [_stack([h[k] for h in history][order], results[k].type) for k in range(parts.carries)]
    return (*carries, *ys, *past, np.int64(done))


def _holds(parts: Parts, done: int, carries: list, outside: list, sizes: dict) -> bool:
    return bool(evaluate(parts.condition, [done, *carries, *outside], sizes)[0])  # type: ignore[arg-type]


def _stack(values: list, type_) -> np.ndarray:
    if values:
        return np.stack(values)
    return np.empty((0, *(n if isinstance(n, int) else 0 for n in type_.shape)), type_.dtype)
