"""checkpoint(f): the backward pass computes f again instead of storing what it made; loops in f keep few carries.

    for i < n                   ->  for k < n/s:  (the carry is kept)
        carry = step(carry)             for i < s: carry = step(carry)      (kept while segment k is on its way back)

Segments of about sqrt(n) steps store sqrt(n) + sqrt(n) carries and compute every step once more (Chen et al. 2016,
arXiv:1604.06174). For a given number of snapshots the schedule is binomial: differentiate/revolve.py.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradgen.errors import ArgumentError
from gradgen.ir.graph import Builder, Node
from gradgen.ir.sizes import hint
from gradgen.ir.types import Type
from gradgen.ops import views
from gradgen.ops.control import Parts, branch, loop, loop_attrs, pick
from gradgen.ops.leaves import INT64, fresh
from gradgen.ops.subgraphs import close, inline
from gradgen.trace.active import active, active_builder
from gradgen.trace.labels import label
from gradgen.trace.pytree import flatten, unflatten
from gradgen.trace.tracer import Tracer, constant, fresh_input, lift_output, lifted


@dataclass(frozen=True)
class Plan:
    """How the loops of a checkpointed function keep their carries: `snapshots` at a time, or in `memory` bytes."""

    snapshots: int | None
    memory: int | None


def checkpoint(f: Callable | None = None, snapshots: int | None = None, memory: int | None = None) -> Any:
    """f, whose derivative computes again what f made instead of storing it.

    Loops in f keep about 2 sqrt(n) of n carries and make every step twice; with `snapshots` they keep so many, with
    `memory` as many as fit in so many bytes, by the binomial schedule (Griewank & Walther 2000, Algorithm 799), which
    makes the fewest steps that this allows. while_loop keeps its stack. Raises ArgumentError for both, or below 1.
    """
    if f is None:
        return functools.partial(checkpoint, snapshots=snapshots, memory=memory)
    if snapshots is not None and memory is not None:
        raise ArgumentError("checkpoint: both snapshots and memory", hint="one of them")
    for name, number in (("snapshots", snapshots), ("memory", memory)):
        if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 1):
            raise ArgumentError(f"checkpoint: {name}={number!r}", hint="an int of at least 1")
    plan = Plan(snapshots, memory)

    @functools.wraps(f)
    def checkpointed(*args, **kwargs):
        if active_builder() is None:
            return f(*args, **kwargs)
        return _call(f, plan, args, kwargs)

    return checkpointed


def _call(f: Callable, plan: Plan, args: tuple, kwargs: dict) -> Any:
    """f as a branch that is always taken: of a branch nothing is kept."""
    builder: Builder = active_builder()  # type: ignore[assignment]
    since = builder.fresh()
    found, spec = flatten((args, kwargs))
    actual = [lifted(builder, x) for x in found]
    inputs = [fresh_input(builder, x.type, x.weak) for x in actual]
    for x, a in zip(inputs, actual, strict=True):
        x.node.label = a.node.label
    call_args, call_kwargs = unflatten(spec, inputs)
    active.plans.append(plan)
    try:
        outs, out_spec = flatten(f(*call_args, **call_kwargs))
    finally:
        active.plans.pop()
    results = [lift_output(builder, x) for x in outs]
    label({}, [x.node for x in results])
    body, outside = close([x.node for x in inputs], [x.node for x in results], "then", since)
    other = type(body)(body.inputs, body.outputs, "otherwise", body.input_names)
    operands = [constant(builder, np.asarray(True)), *(x.node for x in actual), *outside]
    node = builder.add(branch, operands, {"then": body, "otherwise": other}, None)
    return unflatten(out_spec, [Tracer(builder, pick(builder, node, k)) for k in range(len(results))])


# -- loops


def add_loop(builder: Builder, operands: list[Node], attrs: dict, source) -> list[Node]:
    """The last carries and the stacked results of a loop, by the plan of the checkpoint around it, if there is one."""
    parts = Parts(Node(loop, tuple(operands), attrs, None, source, 0))
    count = len(parts.body.outputs)
    if active.plans and parts.condition is None:
        plan: Plan = active.plans[-1]  # type: ignore[assignment]
        if plan.snapshots is not None or plan.memory is not None:
            attrs = {**attrs, "snapshots": _snapshots(plan, parts)}
        elif not parts.reverse and isinstance(parts.length, int) and parts.length > 3:
            return _segments(builder, parts, source)
    node = builder.add(loop, operands, attrs, source)
    return [pick(builder, node, k) for k in range(count)]


def _snapshots(plan: Plan, parts: Parts) -> int:
    if plan.snapshots is not None:
        return plan.snapshots
    one = sum((hint(n.type.nbytes) or 8) for n in parts.inits)
    return max(1, plan.memory // max(one, 1))  # type: ignore[operator]


def _segments(builder: Builder, parts: Parts, source) -> list[Node]:
    """A loop of loops of s steps, and what is left over."""
    n: int = parts.length  # type: ignore[assignment]
    s = math.isqrt(n - 1) + 1
    k = n // s
    index: Any = fresh_input(builder, Type(INT64))
    carries = [fresh_input(builder, x.type) for x in parts.inits]
    rows = [fresh_input(builder, x.type.with_shape((s, *x.shape[1:]))) for x in parts.xs]
    for x, inner in zip((*carries, *rows), parts.body.inputs[1:], strict=False):
        x.node.label = inner.label
    first = (index * s).node
    inner = _part(builder, parts, first, s, [x.node for x in carries], [x.node for x in rows], source)
    outs = [pick(builder, inner, j) for j in range(len(parts.body.outputs))]
    body, outside = close([x.node for x in (index, *carries, *rows)], outs, "body")
    head = [_rows(builder, x, 0, s * k, (k, s, *x.shape[1:])) for x in parts.xs]
    attrs = loop_attrs(body, parts.carries, parts.rows, k, forget=True)
    outer = builder.add(loop, [*parts.inits, *head, *outside], attrs, source)
    found = [pick(builder, outer, j) for j in range(len(outs))]
    stacked = [
        builder.add(views.reshape, (y,), {"shape": (k * s, *y.shape[2:])}, source) for y in found[parts.carries :]
    ]
    if n == s * k:
        return [*found[: parts.carries], *stacked]
    rest = [_rows(builder, x, s * k, n - s * k, (n - s * k, *x.shape[1:])) for x in parts.xs]
    start = constant(builder, np.asarray(s * k))
    tail = _part(builder, parts, start, n - s * k, found[: parts.carries], rest, source)
    last = [pick(builder, tail, j) for j in range(len(outs))]
    joined = [
        builder.add(views.concatenate, (a, b), {"axis": 0}, source)
        for a, b in zip(stacked, last[parts.carries :], strict=True)
    ]
    return [*last[: parts.carries], *joined]


def _part(builder: Builder, parts: Parts, first: Node, n: int, inits, xs, source) -> Node:
    """The same loop, for n steps from the index `first` on."""
    inputs = [fresh(builder, x.type, x.label) for x in parts.body.inputs]
    index, carries, rows, outside = parts.split(inputs)
    here: Any = Tracer(builder, index)
    place = (here + Tracer(builder, first)).node
    outs = inline(builder, parts.body, [place, *carries, *rows, *outside])
    body, more = close([index, *carries, *rows, *outside], outs, "body")
    attrs = loop_attrs(body, parts.carries, parts.rows, n)
    return builder.add(loop, [*inits, *xs, *parts.outside, *more], attrs, source)


def _rows(builder: Builder, x: Node, start: int, count: int, shape: tuple) -> Node:
    attrs = {"starts": (start, *(0,) * (x.type.ndim - 1)), "steps": (1,) * x.type.ndim, "shape": (count, *x.shape[1:])}
    part = x if start == 0 and count == x.shape[0] else builder.add(views.slice_, (x,), attrs, x.source)
    return builder.add(views.reshape, (part,), {"shape": shape}, x.source)
