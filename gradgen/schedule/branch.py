"""Branches -> statements: both sides fill the same locals and arrays. And what loops share with them."""

from __future__ import annotations

from gradgen.ir.graph import Constant, Graph, Node
from gradgen.schedule.flow import If
from gradgen.schedule.lower import BRANCH, Frame
from gradgen.schedule.program import Assign, Buffer, Fill, Local, Number, Store, element, variable
from gradgen.schedule.region import Region
from gradgen.schedule.separate import separate
from gradgen.schedule.storage import origin
from gradgen.schedule.units import Unit


class Scope:
    """What loops and branches share: inputs of sub-graphs, copies, results."""

    def __init__(self, emitter, unit: Unit):
        self.emitter, self.lowerer, self.node = emitter, emitter.lowerer, unit.node
        self.results: dict[int, Node] = {n.attrs["place"]: n for n in unit.results}

    def stand_for(self, inner: Node, outer: Node) -> None:
        """An input of a sub-graph is a value from outside."""
        if outer.shape != () and outer in self.lowerer.buffers:
            self.lowerer.buffers[inner] = self.lowerer.buffers[outer]
        elif outer.shape != () and origin(outer) in self.lowerer.buffers:
            self.lowerer.buffers[inner] = self.emitter.renamed(outer)
        else:
            self.lowerer.alias[inner] = outer

    def fill(self, buffer: Buffer, node: Node) -> None:
        """Compute an array into a buffer."""
        number = node.inputs[0] if node.op.name == "broadcast_to" else node
        value = number.attrs.get("value") if number.op.name == "constant" else None
        if value is not None and not isinstance(value, Constant):
            self.lowerer.emit(Fill(*element(buffer, ()), Number(value, node.dtype), node))
            return
        index = []
        for _ in node.shape:
            index.append(variable(self.lowerer.fresh("i")))
            self.lowerer.open(index[-1].variables[0])
        found = self.lowerer.value(node, tuple(index))
        self.lowerer.emit(Store(*element(buffer, tuple(index)), found, node))
        for n in reversed(node.shape):
            self.lowerer.emit(self.lowerer.close(n))

    def copy(self, target: Buffer, source: Buffer, node: Node) -> None:
        """Copy one array into another."""
        probe = Node(node.op, (), {}, node.type, node.source, -1)
        self.lowerer.buffers[probe] = source
        self.fill(target, probe)
        del self.lowerer.buffers[probe]

    def numbers(self, outputs, names: list[Local], again: bool) -> None:
        """Give each local the value of a scalar output."""
        values = [self.lowerer.value(n, ()) for n in outputs]
        moved = [k for k, local in enumerate(names) if values[k] != local]
        for k in moved[1:]:
            if values[k] in [names[j] for j in moved if j < k]:  # the old value of one that is given a new one first
                values[k] = self.kept(values[k], outputs[k])
        for k in moved:
            self.lowerer.emit(Assign(names[k].name, values[k], outputs[k], again))

    def kept(self, value, node: Node) -> Local:
        kept = Local(self.lowerer.fresh("v"), node.dtype)
        self.lowerer.depth[kept.name] = self.lowerer.innermost
        self.lowerer.emit(Assign(kept.name, value, node))
        return kept

    def temp(self, name: str, node: Node) -> Buffer:
        return Buffer(self.lowerer.fresh(name), node.dtype, node.shape, "temp", None, node)


class Branch(Scope):
    def emit(self) -> None:
        lowerer = self.lowerer
        condition = lowerer.value(self.node.inputs[0], ())
        known = isinstance(condition, Number)  # a checkpoint is a branch that is always taken
        sides_run = ("then" if condition.value else "otherwise",) if known else ("then", "otherwise")
        locals_ = {k: Local(lowerer.fresh("r"), n.dtype) for k, n in self.results.items() if n.shape == ()}
        sides = []
        for name in sides_run:
            lowerer.frames.append(Frame("", BRANCH))
            graph = self._needed(self.node.attrs[name])
            for inner, outer in zip(graph.inputs, self.node.inputs[1:], strict=True):
                self.stand_for(inner, outer)
            outs = dict(zip(self.results, graph.outputs, strict=True))
            targets = {outs[k]: lowerer.buffers[n] for k, n in self.results.items() if n.shape != ()}
            Region(graph).lower(self.emitter, targets, nested=True)
            self.numbers([outs[k] for k in locals_], list(locals_.values()), True)
            sides.append(lowerer.leave().body)
        for k, local in locals_.items():
            lowerer.scalars[self.results[k]] = local
            lowerer.depth[local.name] = lowerer.innermost
        if known:
            lowerer.frames[-1].body.extend(sides[0])
        else:
            lowerer.emit(If(condition, sides[0], sides[1], self.node))

    def _needed(self, graph: Graph) -> Graph:
        """A side, with the outputs that something uses."""
        return separate(Graph(graph.inputs, tuple(graph.outputs[k] for k in self.results), graph.name))
