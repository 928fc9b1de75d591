"""Units -> a tree of shared loops.

    in:  m = max(z, axis 1) ; s = sum(exp(z - m), axis 1) ; loss = sum(log(s))
    out: for i: [ for j: m ] [ for j: s ] [ loss ]

Units that run over the same outer size share that loop, if what one needs of another is made in the same iteration.
Greedy, in topological order, level by level: at each level a unit joins a group if all that it depends on is either
done, or in the group and read at the group's own index. Known weakness: the order of loops is that of memory and is
never changed, so a column-wise consumer does not fuse with a row-wise producer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gradgen.ir.graph import Node
from gradgen.ir.sizes import Size
from gradgen.ops.control import Parts, loop, run_symbols
from gradgen.ops.record import CONTROL
from gradgen.schedule.lower import Lowerer
from gradgen.schedule.program import Index, variable
from gradgen.schedule.storage import begins_as, call_operand, factor, matrices, origin
from gradgen.schedule.units import Unit


@dataclass(eq=False)
class Shared:
    """A loop over `extent`, shared by `units`; `items`: what its body holds, in order."""

    level: int
    extent: Size
    units: list[Unit]
    items: list = field(default_factory=list)


@dataclass(frozen=True)
class Access:
    """Reader (or writer) of a stored value at an index in its own loop variables; None: all of it at once."""

    node: Node
    index: tuple[Index, ...] | None


def loop_variables(count: int) -> tuple[Index, ...]:
    return tuple(variable(f"d{k}") for k in range(count))


def reads_of(unit: Unit, lowerer: Lowerer) -> list[Access]:
    """What a unit loads: a dry run of its lowering."""
    if unit.node.op.kind == CONTROL:
        return [Access(origin(node), None) for node in whole_reads(unit.node, lowerer)]
    if unit.is_call:
        scale = factor(unit.node)
        if scale is not None:
            lowerer.value(scale, ())
        whole = [Access(origin(call_operand(n)[0]), None) for n in matrices(unit.node)]
        return [*whole, *(Access(origin(node), idx) for node, idx in lowerer.reads)]
    if unit.copies and unit.fill:
        return []
    for k in range(len(unit.domain)):
        lowerer.open(f"d{k}")
    point = unit.point(loop_variables(len(unit.domain)))
    lowerer.compute(unit.value, point) if unit.value is unit.node else lowerer.value(unit.value, point)
    if unit.table is not None:
        axis = unit.node.attrs["axis"]
        _, middle, _ = unit.node.op.index(point, unit.value.type, unit.table.type, axis=axis)
        lowerer.value(unit.table, middle)
    return [Access(origin(node), idx if origin(node) is node else None) for node, idx in lowerer.reads]


def whole_reads(node: Node, lowerer: Lowerer) -> list[Node]:
    """The stored values that a loop or a branch is made from."""
    for n in node.inputs:
        if n in lowerer.buffers and n.shape != ():
            lowerer.reads.append((n, ()))
            continue
        for axis in range(n.type.ndim):
            lowerer.open(f"d{axis}")
        lowerer.value(n, loop_variables(n.type.ndim))
    return [n for n, _ in lowerer.reads]


def is_begun(node: Node, overwrites: dict[Node, Node]) -> bool:
    """Whether a value takes the memory of what it begins as, so that nothing need be copied."""
    base = begins_as(node)
    return base is not None and node in overwrites and overwrites[node] is origin(base)


class Dependencies:
    """Who must come before whom, and whether two units may share a loop."""

    def __init__(self, units: list[Unit], reads: dict[Unit, list[Access]], overwrites: dict[Node, Node]):
        """`overwrites`: stored value -> value whose memory it takes; all other readers of that come first."""
        self.reads = reads
        self.edges: dict[Unit, dict[Unit, list[tuple[Access, Access]]]] = {u: {} for u in units}
        writers: dict[Node, list[Unit]] = {}
        for u in units:
            for node in u.written:
                writers.setdefault(node, []).append(u)
        for u in units:
            if u.scattered and not u.fill:  # an update comes after what it starts from
                begun = is_begun(u.node, overwrites)
                before = writers.get(overwrites[u.node], ()) if begun else [w for w in writers[u.node] if w.copies]
                for w in before:
                    self._edge(u, w, Access(u.node, None), Access(w.node, None))
            for access in reads[u]:
                for w in writers.get(access.node, ()):
                    if w is not u:
                        self._edge(u, w, access, self._written(w))
                for taken in (n for n, old in overwrites.items() if old is access.node):
                    for w in writers.get(taken, ()):
                        if w is not u:
                            self._edge(w, u, self._written(w), access)

        self._after_lengths(units)
        # How many units hang on each, one after the other: by falling height is an order in which nothing waits long.
        self.height: dict[Unit, int] = dict.fromkeys(units, 0)
        for u in reversed(units):
            for w in self.edges[u]:
                self.height[w] = max(self.height[w], self.height[u] + 1)

    def _after_lengths(self, units: list[Unit]) -> None:
        """What has a size that a loop's run tells comes after a loop that tells it."""
        tells: dict[str, list[Unit]] = {}
        for u in units:
            if u.node.op is loop and Parts(u.node).is_open:
                tells.setdefault(str(u.node.attrs["length"]), []).append(u)
        for u in units if tells else ():
            if u.node.op.kind == CONTROL:
                continue
            for name in sorted({name for n in (*u.domain, *u.node.shape) for name in run_symbols(n)}):
                first = next((w for w in tells.get(name, ()) if not self._needs(w, u)), None)
                if first is not None:
                    self._edge(u, first, Access(u.node, None), Access(first.node, None))

    def _needs(self, unit: Unit, other: Unit) -> bool:
        """Whether a unit can only come after another."""
        stack, seen = [unit], {unit}
        while stack:
            more = [w for w in self.edges[stack.pop()] if w not in seen]
            seen.update(more)
            stack.extend(more)
        return other in seen

    def possible(self) -> bool:
        """Whether there is an order at all: two overwrites may wait for each other."""
        waiting = {u: set(needs) for u, needs in self.edges.items()}
        while waiting:
            ready = [u for u, needs in waiting.items() if not needs & waiting.keys()]
            if not ready:
                return False
            for u in ready:
                del waiting[u]
        return True

    def related(self, u: Unit, w: Unit, level: int) -> bool:
        """Whether one needs the other, or both read one array along the shared loop."""
        if w in self.edges[u] or u in self.edges[w]:
            return True
        name = f"d{level}"
        mine = {a.node for a in self.reads[u] if a.index and any(i.is_variable(name) for i in a.index)}
        return any(a.node in mine and a.index and any(i.is_variable(name) for i in a.index) for a in self.reads[w])

    def _edge(self, later: Unit, earlier: Unit, a: Access, b: Access) -> None:
        self.edges[later].setdefault(earlier, []).append((a, b))

    def _written(self, unit: Unit) -> Access:
        if unit.target is None:
            return Access(unit.node, None)
        return Access(unit.node, unit.target(unit.point(loop_variables(len(unit.domain)))))

    def ready(self, unit: Unit, placed: set[Unit], group: list[Unit], level: int) -> bool:
        """Whether all that a unit needs is placed, or made by the group in the same iteration."""
        return all(w in placed or (w in group and aligned(pairs, level)) for w, pairs in self.edges[unit].items())


def aligned(pairs: list[tuple[Access, Access]], level: int) -> bool:
    """Both sides of every access run along one axis with this level's loop variable."""
    name = f"d{level}"
    return all(
        a.index is not None and b.index is not None and len(a.index) == len(b.index)
        and any(p.is_variable(name) and q.is_variable(name) for p, q in zip(a.index, b.index, strict=True))
        for a, b in pairs
    )  # fmt: skip


def arrange(units: list[Unit], deps: Dependencies, level: int = 0, before: frozenset[Unit] = frozenset()) -> list:
    """The items of one body: units without further loops, and shared loops."""
    remaining = list(units)
    items: list = []
    placed = {w for u in units for w in deps.edges[u] if w not in remaining} | before  # settled by an outer level
    while remaining:
        ready = [u for u in remaining if deps.ready(u, placed, [], level)]
        single = next((u for u in ready if len(u.domain) == level), None)
        if single is not None:
            items.append(single)
            group = [single]
        else:
            seed = max(ready, key=lambda u: (deps.height[u], -u.node.id))  # what most depends on comes first
            group = _group(seed, remaining, deps, placed, level)
            shared = Shared(level, seed.domain[level], group)
            shared.items = arrange(group, deps, level + 1)
            items.append(shared)
        placed.update(group)
        remaining = [u for u in remaining if u not in group]
    return items


def _group(seed: Unit, remaining: list[Unit], deps: Dependencies, placed: set[Unit], level: int) -> list[Unit]:
    """All units that may share the seed's loop and have to do with it: by what they need or by what they read."""
    group: list[Unit] = []
    for u in remaining:
        if len(u.domain) > level and u.domain[level] == seed.domain[level] and deps.ready(u, placed, group, level):
            group.append(u)
    related, grown = {seed}, True
    while grown:
        more = {u for u in group if u not in related and any(deps.related(u, w, level) for w in related)}
        related |= more
        grown = bool(more)
    return [u for u in group if u in related]
