"""A graph that is lowered into one body: the whole kernel's, a loop's, one side of a branch.

separate outputs -> choose what is stored -> cut into units -> see what may be overwritten -> share loops -> lower
"""

from __future__ import annotations

from gradgen.ir.graph import Graph, Node
from gradgen.ops.control import Parts, is_item, loop, run_symbols
from gradgen.ops.record import LEAF, REDUCTION
from gradgen.schedule.flow import View
from gradgen.schedule.fuse import Dependencies, arrange, is_begun, loop_variables, reads_of
from gradgen.schedule.lower import Lowerer
from gradgen.schedule.program import Buffer, Local
from gradgen.schedule.storage import begins_as, is_free, is_rename, origin, stored
from gradgen.schedule.units import Unit, is_loaded, units


class Region:
    """`graph`: its outputs have memory of their own. `donate`: output -> the input whose memory it may take."""

    def __init__(self, graph: Graph, donate: dict[Node, Node] | None = None):
        self.graph, self.donate = graph, donate or {}
        self.kept = stored(graph, set(self.donate.values()))
        self.changes = bool(self.donate) or any(begins_as(n) is not None for n in self.kept)
        work = units(graph, self.kept, self.changes)
        reads = {u: reads_of(u, self._dry()) for u in work}
        self.overwrites = self._overwrites(work, reads)
        self.work = _without_copies(work, self.overwrites)
        self.deps = Dependencies(self.work, reads, self.overwrites)

    def _dry(self) -> Lowerer:
        """A lowerer that takes every stored value, every input and every scalar that a unit makes for loaded."""
        everything, scalars = {}, {}
        for n in self.graph.nodes:
            if isinstance(n.type, tuple):
                continue
            made = n in self.kept or is_item(n) or (n.op.kind == REDUCTION and n.shape == ())
            made = made or (self.changes and is_loaded(n))
            if made or is_free(n):
                everything[n] = Buffer("", n.dtype, n.shape, "temp", None, n)
            elif n.op.name == "input":
                scalars[n] = Local("", n.dtype)
        renames(self.graph, everything)
        return Lowerer(everything, scalars)

    # -- what is overwritten

    def root(self, node: Node) -> Node:
        """The value or input whose memory a stored value lies in."""
        while node in self.overwrites:
            node = self.overwrites[node]
        return node

    def _overwrites(self, work: list[Unit], reads: dict) -> dict[Node, Node]:
        """Stored value -> the value whose memory it takes, where all other readers of that can come first."""
        found: dict[Node, Node] = {}
        writers: dict[Node, list[Unit]] = {}
        for u in work:
            for node in u.written:
                writers.setdefault(node, []).append(u)
        outputs = {origin(n) for n in self.graph.outputs}
        for node, old, allowed in self._candidates(outputs):
            if not allowed or node in found or old in found.values():
                continue
            trial = {**found, node: old}
            mine = _without_copies(writers.get(node, []), trial)
            allowed = self._is_owned(trial) and _in_place(mine, old, reads)
            if allowed and Dependencies(_without_copies(work, trial), reads, trial).possible():
                found = trial
        return found

    def _is_owned(self, overwrites: dict[Node, Node]) -> bool:
        """Whether no output lies in the memory of an input that was donated to another."""
        for out in self.graph.outputs:
            root = memory = origin(out)
            while root in overwrites:
                root = overwrites[root]
            if root is not memory and root.op.kind == LEAF and self.donate.get(out) is not root:
                return False
        return True

    def _candidates(self, outputs: set[Node]):
        """(value, memory it might take, whether that memory is the region's to write to)."""
        lineage = {n: old for out, old in self.donate.items() for n in _updated(origin(out))}
        for node in self.graph.nodes:
            base = begins_as(node)
            if base is not None and node in self.kept:
                old = origin(base)
                own = old in self.kept and old not in outputs
                yield node, old, own or (node in lineage and lineage[node] is old)
            if node in self.donate and node in self.kept:
                old = self.donate[node]
                yield node, old, node.type == old.type

    # -- lowering

    def lower(self, emitter, targets: dict[Node, Buffer], nested: bool = False) -> None:
        """Emit the statements. `targets`: an output that is an array -> where it goes; `nested`: within a loop."""
        lowerer: Lowerer = emitter.lowerer
        places = {}
        for out, buffer in targets.items():
            memory = origin(out)
            if memory is not out:
                buffer = Buffer(f"{buffer.name}_{memory.id}", memory.dtype, memory.shape, "temp", buffer, memory)
                if nested:
                    lowerer.emit(View(buffer, memory))
            places[self.root(memory)] = buffer
        made: dict[Node, Buffer] = dict(places)
        for place, node in enumerate(sorted(self.kept, key=lambda n: n.id)):
            root = self.root(node)
            if root not in made:
                free = lowerer.buffers.get(root) if root.op.name == "input" else None
                made[root] = free or memory_of(f"t{place}", root)
            buffer = made[root]
            if buffer.shape != node.shape and not has_spare_row(node):  # an update of a reshaped array
                buffer = Buffer(f"{buffer.name}_{node.id}", node.dtype, node.shape, "temp", buffer, node)
                if nested:
                    lowerer.emit(View(buffer, node))
            lowerer.buffers[node] = buffer
            lowerer.home.setdefault(made[root].storage, lowerer.innermost)
        for buffer in renames(self.graph, lowerer.buffers):
            own = origin(buffer.node) in self.kept and not _is_row(buffer)  # type: ignore[arg-type]
            if buffer.storage.role == "stack" and own:  # there once its size is known
                emitter.later.setdefault(buffer.storage, []).append(buffer)
            elif nested:
                lowerer.emit(View(buffer, buffer.node))
        emitter.items(arrange(self.work, self.deps), ())


def _is_row(buffer: Buffer | None) -> bool:
    return buffer is not None and (bool(buffer.prefix) or _is_row(buffer.base))


def memory_of(name: str, node: Node) -> Buffer:
    """Memory for a value. The history of an array has a row more than it shows: what the last step leaves behind."""
    role = "stack" if any(run_symbols(n) for n in node.shape) else "temp"
    if not has_spare_row(node):
        return Buffer(name, node.dtype, node.shape, role, None, node)
    whole = Buffer(name, node.dtype, (node.shape[0] + 1, *node.shape[1:]), role, None, node)
    return whole if role == "stack" else Buffer(f"{name}_rows", node.dtype, node.shape, role, whole, node)


def has_spare_row(node: Node) -> bool:
    if not is_item(node) or node.inputs[0].op is not loop:
        return False
    parts = Parts(node.inputs[0])
    return not parts.reverse and node.type.ndim > 1 and parts.history(0) <= node.attrs["place"] < parts.steps


def _without_copies(work: list[Unit], overwrites: dict[Node, Node]) -> list[Unit]:
    """The units but for copies of what lies in its place already."""
    return [u for u in work if not (u.copies and is_begun(u.node, overwrites))]


def _in_place(mine: list[Unit], old: Node, reads: dict) -> bool:
    """Whether the units that make a value may do so in the memory of `old`: the first reads it in step, and where that
    is a copy, what follows does not read it."""
    later = [u for u in mine if not u.copies]
    first = [u for u in mine if u.copies] or later
    if len(first) != 1 or len(later) != 1 or not _in_step(first[0], old, reads[first[0]]):
        return False
    return first == later or not any(a.node is old for a in reads[later[0]])


def _in_step(unit: Unit, old: Node, reads: list) -> bool:
    """Whether a unit may write over what it reads: it reads each element before it writes that one, and no other."""
    mine = [a for a in reads if a.node is old]
    if unit.is_call:
        return unit.scattered and not mine
    if unit.fill or (unit.combine and not unit.scattered):
        return False
    if not unit.domain or not mine:
        return True
    if unit.target is None:
        return False
    own = tuple(unit.target(unit.point(loop_variables(len(unit.domain)))))
    return all(a.index == own for a in mine)


def _updated(node: Node) -> list[Node]:
    """The updates that end in a value, one after the other; itself, where it is none."""
    found = [node]
    while (base := begins_as(found[-1])) is not None and begins_as(origin(base)) is not None:
        found.append(origin(base))
    return found


def renames(graph: Graph, buffers: dict[Node, Buffer]) -> list[Buffer]:
    """Add buffers of reshapes that mix axes: other shapes of memory that is there."""
    found = []
    for n in graph.nodes:
        if is_rename(n) and n not in buffers:
            base = buffers[origin(n)]
            buffers[n] = Buffer(f"{base.name}r{n.id}", n.dtype, n.shape, "temp", base, n)
            found.append(buffers[n])
    return found
