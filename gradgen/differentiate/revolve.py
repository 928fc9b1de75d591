"""The adjoint of a loop that keeps a given number of carries: a binomial schedule, as a program over traced values.

    for end = n - 1, ..., 0:
        from the nearest carry that is kept, step forward to `end`, leaving carries on the way while there is room
        the adjoint of step `end`

With room for d carries, the one it starts from included, and t the least number with C(d + t, d) >= l, a stretch of l
steps leaves its next carry t * l / (d + t) steps on: then no step is made more than t times, which is optimal
(Griewank 1992, treeverse; Griewank & Walther 2000, Algorithm 799: revolve). Known weakness: the first sweep is made
beside the loop itself, and not with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradgen.ir.graph import Builder, Node
from gradgen.ops.control import Parts
from gradgen.ops.leaves import INT64
from gradgen.ops.subgraphs import close, inline
from gradgen.trace.control import fori_loop, scan, while_loop
from gradgen.trace.tracer import Tracer, lifted

if TYPE_CHECKING:
    from gradgen.differentiate.loops import Body, Reversal


def adjoint(builder: Builder, parts: Parts, body: Body, found: Reversal) -> list[tuple[Node, Node]]:
    """(operand, cotangent) for the operands that the reversed loop has results for."""
    room = parts.node.attrs["snapshots"]
    room = min(room, parts.length) if isinstance(parts.length, int) else room
    rows = [*body.rows, *found.rows]
    inputs = [body.index, *found.carries, *body.carries, *rows, *body.outside]
    pull, more = close(inputs, [*found.new, *found.g_rows], "pull")
    count = len(found.carries)
    outside = [*parts.outside, *more]

    def traced(nodes) -> Any:
        return [Tracer(builder, n) for n in nodes]

    xs = traced([*parts.xs, *found.xs])
    total: Any = Tracer(builder, parts.count) if parts.count is not None else lifted(builder, parts.length)

    def row_of(i: Any) -> Any:
        return total - 1 - i if parts.reverse else i

    def forward(i: Any, carry: list) -> list:
        i = row_of(i)
        here = [np.take(x, i, axis=0).node for x in xs[: parts.rows]]
        outs = inline(builder, parts.body, [i.node, *(c.node for c in carry), *here, *parts.outside])
        return traced(outs[: parts.carries])

    def step(state, row):
        end, top, kept, places, g = state
        _, top, carry, kept, places = _walk(room, forward, end, top, kept, places)
        row_nodes = [x.node for x in row]
        values = [row_of(end).node, *(x.node for x in g), *(x.node for x in carry), *row_nodes, *outside]
        outs = traced(inline(builder, pull, values))
        top = np.maximum(np.where(places[top] == end, top - 1, top), 0)
        return (end - 1, top, kept, places, outs[:count]), outs[count:]

    first = traced(parts.inits)
    kept = [_zeros(builder, (room + 1, *x.type.shape), x.dtype).at[0].set(x) for x in first]
    zero = lifted(builder, np.int64(0))
    places = _zeros(builder, (room + 1,), INT64)
    state = (total - 1 + zero, zero, kept, places, traced(found.inits))
    length: Any = None if xs else (total if parts.count is not None else parts.length)
    last, g_rows = scan(step, state, xs, length, reverse=not parts.reverse)
    results = [*last[4], *g_rows]
    return [(target, x.node) for target, x in zip(found.targets, results, strict=True)]


def _zeros(builder: Builder, shape: tuple, dtype) -> Any:
    return np.broadcast_to(lifted(builder, np.zeros((), dtype)), shape)


def _walk(room: int, forward, end: Any, top: Any, kept: list, places: Any) -> tuple:
    """Step from the last carry that is kept to that of step `end`."""

    def walk(state):
        here, top, carry, kept, places = state
        free = room - 1 - top
        far = np.where(free > 0, _stretch(end - here + 1, free + 1), end - here)
        far = np.maximum(np.minimum(far, end - here), 1)
        carry = fori_loop(0, far, lambda k, c: forward(here + k, c), carry)
        here = here + far
        slot = np.where(free > 0, top + 1, room)  # the row behind the last is for what is not kept
        kept = [k.at[slot].set(c) for k, c in zip(kept, carry, strict=True)]
        places = places.at[slot].set(here)
        return here, np.where(free > 0, top + 1, top), carry, kept, places

    start = (places[top], top, [k[top] for k in kept], kept, places)
    return while_loop(lambda state: state[0] < end, walk, start)


def _stretch(steps: Any, room: Any) -> Any:
    """How far to the next carry: steps * t / (room + t), rounded up."""

    def more(state):
        t, reach = state
        return t + 1, reach * (room + t + 1) // (t + 1)

    zero = steps * 0
    t, _ = while_loop(lambda state: state[1] < steps, more, (zero, zero + 1))
    return (t * steps + room + t - 1) // (room + t)
