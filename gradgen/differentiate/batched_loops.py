"""Loops over a batch: one loop that takes every example's step.

Where examples make different numbers of steps (a while loop whose condition differs, a traced bound that does), the
loop runs as long as any of them, and a mask keeps the carries of those that are done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradgen.differentiate.loops import Body, made_loop, test_of, zeros
from gradgen.differentiate.rules import node_of, wrap
from gradgen.ir import sizes
from gradgen.ir.graph import Builder, Node
from gradgen.ir.types import Type
from gradgen.ops.control import Parts, pick
from gradgen.ops.leaves import INT64, fresh


class Batch:
    """One loop over a batch: carries, rows and outside values that differ from example to example gain an axis."""

    def __init__(self, builder: Builder, node: Node, given: Sequence[tuple[Node, bool]], size, differing: Callable):
        """`given`: the operands, each with whether it differs. `differing`: see batch.py."""
        self.builder, self.parts, self.size, self.differing = builder, Parts(node), size, differing
        parts = self.parts
        counted = parts.count is not None
        self.count: Any = given[0] if counted else (None, False)
        self.given: list[tuple[Node, bool]] = list(given[int(counted) :])
        self.moving = {k for k, (_, varies) in enumerate(self.given) if varies}
        self.body = Body(builder, parts)
        self.test: Any = (None, False)  # the condition, and whether it differs
        self.ragged = self.count[1]  # whether examples make different numbers of steps
        while not self._settles():
            pass

    def _settles(self) -> bool:
        """Write the batched body out; False where more carries turn out to differ."""
        parts, body = self.parts, self.body
        self.inputs = list(body.inputs)
        for k in self.moving:
            n = body.inputs[k + 1]
            self.inputs[k + 1] = fresh(self.builder, n.type.with_shape((self.size, *n.shape)), n.label)
        mapping = {old: new for old, new in zip(body.inputs, self.inputs, strict=True) if old is not new}
        test = test_of(self.builder, parts, body)
        outputs = [*body.outputs, *([test] if test is not None else [])]
        found = self.differing(self.builder, outputs, mapping, self.size)
        self.outputs = found[: len(body.outputs)]
        self.test = found[-1] if test is not None else (None, False)
        self.ragged = self.count[1] or self.test[1]
        more = {k for k in range(parts.carries) if self.outputs[k][1] or self.ragged}
        settled = more <= self.moving
        self.moving |= more
        return settled

    def results(self, lengths: dict[str, Any]) -> list[tuple[Node, bool]]:
        """Every result, and whether it differs. `lengths`: of ragged loops, which are new ones; grows."""
        parts = self.parts
        index, olds, rows, outside = parts.split(self.inputs)
        values = [n for n, _ in self.given]
        carried, xs, known = (
            values[: parts.carries],
            values[parts.carries :][: parts.rows],
            values[parts.carries + parts.rows :],
        )
        spread = {k for k in self.moving if k < parts.carries}  # of a carry that starts or ends differing
        news = [n if varies or k not in spread else self._spread(n) for k, (n, varies) in enumerate(self.outputs)]
        inits = [self._spread(n) if k in self.moving and not self.given[k][1] else n for k, n in enumerate(carried)]
        xs = [self._swapped(n) if self.given[parts.carries + k][1] else n for k, n in enumerate(xs)]
        outside, count, condition, length = list(outside), self.count[0], self.test[0], None
        if self.ragged:
            if self.test[1]:
                alive = wrap(self.builder, self.test[0])
                condition = node_of(np.any(alive))
            else:
                counts = fresh(self.builder, self.count[0].type, "count")
                alive = wrap(self.builder, index) < wrap(self.builder, counts)
                outside, known = [*outside, counts], [*known, self.count[0]]
                count = node_of(np.max(wrap(self.builder, self.count[0])))
            news = self._masked(alive, news, olds)
            length = lengths.setdefault(str(parts.length), sizes.symbol(f"steps{self.builder.fresh()}"))
        if self.test[1]:  # a while loop counts the steps of each example
            steps = fresh(self.builder, Type(INT64, (self.size,)), "steps")
            olds = (*olds, steps)
            news.insert(parts.carries, (wrap(self.builder, steps) + alive.astype(np.int64)).node)
            inits.append(zeros(self.builder, steps))
        made = made_loop(
            self.builder, parts, [index, *olds, *rows], news, inits, xs, (outside, known),
            reverse=parts.reverse, condition=condition, count=count, length=length,
        )  # fmt: skip
        return self._picked(Parts(made))

    def _spread(self, n: Node) -> Node:
        return node_of(np.broadcast_to(wrap(self.builder, n), (self.size, *n.shape)))

    def _swapped(self, n: Node) -> Node:
        return node_of(np.moveaxis(wrap(self.builder, n), 1, 0))

    def _masked(self, alive, news: list[Node], olds: Sequence[Node]) -> list[Node]:
        """The new values where an example still runs; else its old carry, and 0 in what is stacked."""
        found = []
        for k, new in enumerate(news):
            if k >= self.parts.carries and not self.outputs[k][1]:
                found.append(new)
                continue
            x = wrap(self.builder, new)
            old = wrap(self.builder, olds[k]) if k < self.parts.carries else 0
            mask = np.broadcast_to(np.reshape(alive, (self.size, *(1,) * (x.ndim - 1))), x.shape)
            found.append(node_of(np.where(mask, x, old).astype(new.dtype)))
        return found

    def _picked(self, made: Parts) -> list[tuple[Node, bool]]:
        parts, builder = self.parts, self.builder

        def get(place: int, varies: bool, swap: bool = False) -> tuple[Node, bool]:
            found = pick(builder, made.node, place)
            return (self._swapped(found) if swap and varies else found), varies

        moving = [k in self.moving for k in range(parts.carries)]
        found = [get(k, varies) for k, varies in enumerate(moving)]
        found += [get(made.stack(k), self.outputs[parts.carries + k][1], True) for k in range(parts.stacked)]
        found += [get(made.history(k), varies, True) for k, varies in enumerate(moving)]
        steps = get(parts.carries, True) if self.test[1] else get(made.steps, False)
        return [*found, self.count if self.count[1] else steps]
