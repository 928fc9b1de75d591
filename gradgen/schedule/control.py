"""Loops -> statements: where carries live, and what is remembered of them.

    scalar carry          a local, reassigned at the end of every step
    array carry           one array that is written in place, where all readers of the old value can come first;
                          else two that change places after every step
    with a history        the rows of the history: a step reads row i and writes row i + 1

A history or a stacked result is an array of the workspace, or one that is allocated where the run tells its length.
"""

from __future__ import annotations

from dataclasses import dataclass

from gradgen.ir.graph import Graph, Node
from gradgen.ir.sizes import Size
from gradgen.ops.control import Parts, loop
from gradgen.schedule.branch import Branch, Scope
from gradgen.schedule.flow import Allocate, Grow, Length, Stop, Swap, View, While
from gradgen.schedule.lower import LOOP
from gradgen.schedule.program import (
    Assign,
    Buffer,
    Index,
    Local,
    Loop,
    Position,
    SizeOf,
    Store,
    element,
    variable,
)  # fmt: skip
from gradgen.schedule.region import Region
from gradgen.schedule.separate import separate
from gradgen.schedule.storage import origin
from gradgen.schedule.units import Unit

CAPACITY = 64  # rows of a stack that grows, at first


def emit(emitter, unit: Unit) -> None:
    """The statements of a loop or a branch."""
    (_Loop if unit.node.op is loop else Branch)(emitter, unit).emit()


@dataclass
class Carry:
    """Where a carry lives: a local, or arrays for what a step reads and what it writes."""

    init: Node
    inner: Node
    out: Node
    local: Local | None = None
    now: Buffer | None = None
    next: Buffer | None = None
    past: Buffer | None = None  # the history, where it is kept apart


class _Loop(Scope):
    def __init__(self, emitter, unit: Unit):
        super().__init__(emitter, unit)
        self.parts = Parts(unit.node)
        body = self.parts.body
        self.body = separate(Graph(body.inputs, body.outputs, body.name, body.input_names))
        _, inputs, self.rows, self.outside = self.parts.split(self.body.inputs)
        self.carries = [
            Carry(init, inner, out)
            for init, inner, out in zip(self.parts.inits, inputs, self.body.outputs, strict=False)
        ]
        self.is_while = self.parts.condition is not None
        self.extent: Size = self.parts.length
        self.var = str(self.extent) if self.is_while else emitter.lowerer.fresh("i")
        self.index = variable(self.var)
        self.stacks: list[Buffer] = []
        self.ys: list[tuple[Node, Buffer]] = []  # stacked results that are numbers

    def emit(self) -> None:
        lowerer, parts = self.lowerer, self.parts
        if parts.count is not None:
            lowerer.emit(Length(str(self.extent), lowerer.value(parts.count, ()), self.node))
        donate = {c.out: c.inner for k, c in enumerate(self.carries) if c.init.shape != () and not self._past(k)}
        region = Region(self.body, donate)
        for k, carry in enumerate(self.carries):
            self._place(k, carry, region)
        ys = self._stacked()
        self._open()
        targets = {c.out: c.next for c in self.carries if c.next is not None and c.next is not c.now}
        region.lower(self.emitter, {**targets, **ys}, nested=True)
        self._remember_numbers()
        self._step()
        self._close()

    # -- carries and stacks

    def _past(self, k: int) -> Node | None:
        return self.results.get(self.parts.history(k))

    def _stack(self, node: Node) -> Buffer:
        """Memory for a stacked result, allocated here where the run tells its size."""
        memory = self.lowerer.buffers[node]
        if memory.storage.role == "stack" and memory.base is None:
            self.lowerer.emit(Allocate(memory, CAPACITY if self.is_while else None, self.node))
            self.stacks.append(memory)
            self.lowerer.home[memory] = self.lowerer.innermost
        return memory

    def _place(self, k: int, carry: Carry, region: Region) -> None:
        lowerer, past, last = self.lowerer, self._past(k), self.results.get(k)
        carry.past = self._stack(past) if past is not None else None
        if carry.init.shape == ():
            carry.local = Local(lowerer.fresh("c"), carry.init.dtype)
            lowerer.emit(Assign(carry.local.name, lowerer.value(carry.init, ()), carry.inner))
            return
        if carry.past is not None and carry.past.storage.node is past and carry.past.storage.shape != past.shape:  # type: ignore[union-attr]
            carry.past = carry.past.storage  # the history, with a row for the last carry
            self.fill(self._row(carry.past, Index(), carry.inner), carry.init)
            return
        if region.root(origin(carry.out)) is carry.inner:
            carry.now = carry.next = lowerer.buffers[last] if last is not None else self.temp("t", carry.inner)
        else:  # arrays that change places have no other names
            carry.now, carry.next = self.temp("t", carry.inner), self.temp("t", carry.inner)
        self.fill(carry.now, carry.init)

    def _row(self, base: Buffer, index: Index, node: Node) -> Buffer:
        return Buffer(f"{base.name}_row", node.dtype, node.shape, "temp", base, node, (index,))

    def _stacked(self) -> dict[Node, Buffer]:
        """Where the stacked results of one step go."""
        found, count = {}, self.parts.carries
        for k, out in enumerate(self.body.outputs[count:]):
            item = self.results.get(self.parts.stack(k))
            if item is None:
                continue
            memory = self._stack(item)
            if out.shape == ():
                self.ys.append((out, memory))
            else:
                found[out] = self._row(memory, self.index, out)
        return found

    # -- the body

    def _open(self) -> None:
        lowerer, parts = self.lowerer, self.parts
        lowerer.open(self.var, LOOP)
        inner = lowerer.innermost
        lowerer.places[self.body.inputs[0]] = self.index
        if not self.is_while:
            lowerer.extents[self.index] = self.extent
        for carry in self.carries:
            if carry.local is not None:
                lowerer.scalars[carry.inner] = carry.local
                lowerer.depth[carry.local.name] = inner
                continue
            if carry.now is None:
                carry.now = self._row(carry.past, self.index, carry.inner)  # type: ignore[arg-type]
                carry.next = self._row(carry.past, self.index + 1, carry.inner)  # type: ignore[arg-type]
            lowerer.buffers[carry.inner] = carry.now
            for buffer in (carry.now, carry.next):
                lowerer.home[buffer.storage] = inner  # type: ignore[union-attr]
        for row, x in zip(self.rows, parts.xs, strict=True):
            lowerer.buffers[row] = self._row(self.emitter.renamed(x), self.index, row)
        for n, outer in zip(self.outside, parts.outside, strict=True):
            self.stand_for(n, outer)
        if self.is_while:
            self._test()
        if self.is_while and self.stacks:
            lowerer.emit(Grow(tuple(self.stacks), self.var, self.node))
        for carry in self.carries:
            if carry.past is not None and carry.now is not None and carry.now.base is not carry.past:
                self.copy(self._row(carry.past, self.index, carry.inner), carry.now, carry.inner)

    def _test(self) -> None:
        check = self.parts.condition
        assert check is not None
        graph = separate(check)
        for inner, n in zip(graph.inputs, self.body.inputs, strict=True):
            for known in (self.lowerer.buffers, self.lowerer.scalars, self.lowerer.alias, self.lowerer.places):
                if n in known:
                    known[inner] = known[n]
        Region(graph).lower(self.emitter, {}, nested=True)
        self.lowerer.emit(Stop(self.lowerer.value(graph.outputs[0], ()), self.node))

    def _remember_numbers(self) -> None:
        for carry in self.carries:
            if carry.local is not None and carry.past is not None:
                self.lowerer.emit(Store(*element(carry.past, (self.index,)), carry.local, carry.inner))
        for out, memory in self.ys:
            self.lowerer.emit(Store(*element(memory, (self.index,)), self.lowerer.value(out, ()), out))

    def _step(self) -> None:
        moved = [c for c in self.carries if c.local is not None]
        self.numbers([c.out for c in moved], [c.local for c in moved], True)  # type: ignore[misc]
        for c in self.carries:
            if c.local is None and c.now is not c.next and not c.now.prefix:  # type: ignore[union-attr]
                self.lowerer.emit(Swap(c.now, c.next, c.inner))  # type: ignore[arg-type]

    def _close(self) -> None:
        lowerer = self.lowerer
        frame = lowerer.leave()
        if self.is_while:
            lowerer.depth[self.var] = lowerer.innermost
            lowerer.emit(While(self.var, self.node.attrs["limit"], frame.body, self.node))
        else:
            lowerer.emit(Loop(self.var, self.extent, frame.body, True, self.parts.reverse, self.node))
        for memory in self.stacks:
            for view in self.emitter.later.pop(memory, ()):
                lowerer.emit(View(view, self.node))
        for k, carry in enumerate(self.carries):
            if carry.local is not None:
                lowerer.depth[carry.local.name] = lowerer.innermost
            if k in self.results:
                self._last(self.results[k], carry)
        steps = self.results.get(self.parts.steps)
        if steps is not None:
            place = Position(self.index, steps.dtype) if self.is_while else SizeOf(self.extent, steps.dtype)
            lowerer.remember(steps, (), self.kept(place, steps))

    def _last(self, item: Node, carry: Carry) -> None:
        """The last carry, where its readers look for it."""
        lowerer = self.lowerer
        if carry.local is not None:
            lowerer.scalars[item] = carry.local
            return
        buffer, now = lowerer.buffers[item], carry.now
        if carry.past is not None and now.base is carry.past:  # type: ignore[union-attr]
            end = self.index if self.is_while else Index(self.extent)
            now = self._row(carry.past, end, carry.inner)
        if buffer is not now:
            self.copy(buffer, now, carry.inner)  # type: ignore[arg-type]
