"""The tree of shared loops -> statements: where accumulators start, where they end, what is stored."""

from __future__ import annotations

from itertools import takewhile

from gradgen.ir.graph import Node
from gradgen.ops.record import CONTROL
from gradgen.schedule import control
from gradgen.schedule.flow import Allocate, View
from gradgen.schedule.fuse import Shared
from gradgen.schedule.lower import Lowerer
from gradgen.schedule.products import emit_small, is_small
from gradgen.schedule.program import (
    Assign,
    Best,
    Buffer,
    Call,
    CallAdd,
    Combine,
    Fill,
    Index,
    Local,
    Number,
    Operand,
    Store,
    Update,
    as_index,
    element,
    variable,
)  # fmt: skip
from gradgen.schedule.storage import call_operand, factor, matrices, origin
from gradgen.schedule.units import Unit


class Emitter:
    """Writes the statements of a tree of units through a `Lowerer`."""

    def __init__(self, lowerer: Lowerer, writable: dict[Node, Buffer]):
        """`writable`: the buffer of every stored value, which readers find in `lowerer.buffers` once it is there."""
        self.lowerer, self.writable = lowerer, writable
        self.accumulators: dict[Unit, tuple[Local, Local | None]] = {}
        self.allocated: set[Buffer] = set()
        self.later: dict[Buffer, list[Buffer]] = {}  # stack -> its other shapes, which are made where it is

    def items(self, items: list, variables: tuple[Index, ...]) -> None:
        for item in items:
            if not variables:
                self._allocate(item.units if isinstance(item, Shared) else [item])
            if isinstance(item, Shared):
                self._shared(item, variables)
            elif item.node.op.kind == CONTROL:
                control.emit(self, item)
            elif item.is_call:
                self._call(item)
            elif item.copies and item.fill:
                self._clear(item)
            else:
                self._point(item, variables)

    def _allocate(self, units: list[Unit]) -> None:
        """Arrays whose size a loop has just told. Loops make their own results."""
        for unit in units:
            buffer = self.writable.get(unit.node)
            if buffer is not None and buffer.role == "stack" and buffer not in self.allocated:
                self.allocated.add(buffer)
                self.lowerer.emit(Allocate(buffer, None, unit.node))
                for view in self.later.pop(buffer, ()):
                    self.lowerer.emit(View(view, unit.node))

    def _shared(self, shared: Shared, outer: tuple[Index, ...]) -> None:
        lowerer, level = self.lowerer, shared.level
        for unit in shared.units:
            self._start(unit, level, outer)
        var = lowerer.fresh("i")
        lowerer.open(var)
        self.items(shared.items, (*outer, variable(var)))
        loop = lowerer.close(shared.extent)
        lowerer.emit(loop)
        for unit in shared.units:
            self._finish(unit, level, outer)

    # -- accumulators

    def _start(self, unit: Unit, level: int, outer: tuple[Index, ...]) -> None:
        if unit.fill and level == 0:
            self._clear(unit)
        if unit.combine is None or unit.scattered:
            return
        first = next(k for k in range(len(unit.domain)) if k not in unit.kept)
        if level == unit.trailing:
            self._open_local(unit)
        if level == first < unit.trailing:
            index = self._target(unit, outer, level)
            self.lowerer.emit(Fill(*element(self.writable[unit.node], index), self._identity(unit), unit.node))

    def _clear(self, unit: Unit) -> None:
        zero = Number(unit.node.dtype.type(0).item(), unit.node.dtype)
        self.lowerer.emit(Fill(*element(self.writable[unit.node], ()), zero, unit.node))

    def _open_local(self, unit: Unit) -> None:
        identity = self._identity(unit, unit.value.dtype)
        local = Local(self.lowerer.fresh("a"), unit.value.dtype)
        self._assign(local, identity, unit.node)
        position = None
        if unit.node.op.index:
            position = Local(self.lowerer.fresh("p"), unit.node.dtype)
            self._assign(position, Number(0, unit.node.dtype), unit.node)
        self.accumulators[unit] = (local, position)

    def _assign(self, local: Local, expr, node: Node) -> None:
        self.lowerer.depth[local.name] = len(self.lowerer.frames) - 1
        self.lowerer.emit(Assign(local.name, expr, node))

    def _identity(self, unit: Unit, dtype=None) -> Number:
        dtype = dtype or unit.node.dtype
        return Number(unit.node.op.identity(dtype).item(), dtype)

    def _finish(self, unit: Unit, level: int, outer: tuple[Index, ...]) -> None:
        """After the innermost reduced loops: the local becomes the value, or joins the partial result in memory."""
        if unit.combine is None or unit.scattered or level != unit.trailing:
            return
        local, position = self.accumulators[unit]
        result = position or local
        index = self._target(unit, outer, level)
        if any(k not in unit.kept for k in range(unit.trailing)):
            self.lowerer.emit(Update(*element(self.writable[unit.node], index), unit.combine, result, unit.node))
            return
        self._settle(unit, index, result)

    def _settle(self, unit: Unit, index: tuple[Index, ...], result) -> None:
        if not unit.copies:
            self.lowerer.remember(unit.node, index, result)
        if unit.node in self.writable:
            self.lowerer.emit(Store(*element(self.writable[unit.node], index), result, unit.node))

    def _target(self, unit: Unit, variables: tuple[Index, ...], level: int) -> tuple[Index, ...]:
        """The leading part of the target index that the open loops determine (all of it inside the last kept loop)."""
        blank = tuple(variables[k] if k < level else Index(0, (("?", 1),)) for k in range(len(unit.domain)))
        target = unit.target(unit.point(blank))
        return tuple(takewhile(lambda i: "?" not in i.variables, target))

    # -- one point of a unit

    def _point(self, unit: Unit, variables: tuple[Index, ...]) -> None:
        lowerer, node = self.lowerer, unit.node
        if not unit.domain:
            self._start(unit, 0, ())
        point = unit.point(variables)
        value = lowerer.compute(node, point) if unit.value is node else lowerer.value(unit.value, point)
        if unit.scattered:
            buffer, index = element(self.writable[node], self._scatter_target(unit, point))
            plain = unit.combine == "{x}"
            lowerer.emit(
                Store(buffer, index, value, node) if plain else Update(buffer, index, unit.combine, value, node)
            )
        elif unit.combine is None:
            self._settle(unit, tuple(as_index(i) for i in unit.target(point)), value)
        elif unit.trailing == len(unit.domain):
            target = self._target(unit, variables, len(variables))
            lowerer.emit(Update(*element(self.writable[node], target), unit.combine, value, node))
        else:
            local, position = self.accumulators[unit]
            if position is not None:
                index = node.op.index(point, unit.value.type, **node.attrs)
                lowerer.emit(Best(local.name, position.name, unit.combine, value, index, node))
            else:
                joined = Combine(unit.combine, local, value, local.dtype)
                lowerer.emit(Assign(local.name, joined, node, again=True))

    def _scatter_target(self, unit: Unit, point) -> tuple[Index, ...]:
        node, table = unit.node, unit.table
        if table is None:
            return tuple(as_index(i) for i in unit.target(point))
        axis = node.attrs["axis"]
        before, middle, after = node.op.index(point, unit.value.type, table.type, axis=axis)
        return (*before, self.lowerer.checked_index(table, middle, node.shape[axis], node), *after)

    # -- library calls

    def renamed(self, node: Node) -> Buffer:
        """The buffer of a value, or of the value that it reshapes, under its own shape."""
        if node in self.lowerer.buffers:
            return self.lowerer.buffers[node]
        base = self.lowerer.buffers[origin(node)]
        return Buffer(f"{base.name}_{node.id}", node.dtype, node.shape, "temp", base, node)

    def _call(self, unit: Unit) -> None:
        operands = []
        for n in matrices(unit.node):
            inner, transposed, shared = call_operand(n)
            buffer = self.renamed(inner)
            if buffer.base is not None and inner not in self.lowerer.buffers and self.lowerer.innermost > 0:
                self.lowerer.emit(View(buffer, unit.node))  # of memory that may be another in the next step
            operands.append(Operand(buffer, transposed, shared))
        if is_small(unit.node) and not any(o.shared for o in operands):
            emit_small(self.lowerer, self.writable[unit.node], tuple(operands), unit.node)
            return
        out, scale = self.writable[unit.node], factor(unit.node)
        if scale is not None:
            value = self.lowerer.value(scale, ())
            self.lowerer.emit(CallAdd(unit.node.op, out, tuple(operands), unit.node, value))
            return
        self.lowerer.emit(Call(unit.node.op, out, tuple(operands), unit.node))
