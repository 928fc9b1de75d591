"""Values -> expressions, each bound to a local in the outermost loop where its index is known.

A frame is an open loop body. A value at an index is computed once per frame and found again from inner ones, so equal
work is shared and loop-invariant work moves out by construction: as far as the memory that it reads holds what it
should (`home`), out of a user's loop only what can't fail, and out of a branch nothing.
"""

from __future__ import annotations

from gradgen.ir.graph import Constant, Node
from gradgen.ir.sizes import Size
from gradgen.ops.record import ELEMENTWISE, GATHER, LEAF, VIEW
from gradgen.schedule.program import (
    Apply,
    Assign,
    Buffer,
    CheckIndex,
    Index,
    Load,
    Local,
    Loop,
    Number,
    Position,
    SizeOf,
    as_index,
    element,
    variable,
)  # fmt: skip
from gradgen.schedule.storage import is_rename
from gradgen.schedule.walks import subexpressions

LOOP, BRANCH = "loop", "branch"


class Frame:
    """One open body: what has been emitted into it, and what is known in it. `border`: of a user's loop or branch."""

    def __init__(self, var: str = "", border: str = ""):
        self.var, self.border = var, border
        self.body: list = []
        self.known: dict = {}


class Lowerer:
    """Emits statements for values. `buffers`: where stored values lie; scalar inputs are locals."""

    def __init__(self, buffers: dict[Node, Buffer], scalars: dict[Node, Local]):
        self.buffers, self.scalars = buffers, scalars
        self.frames = [Frame()]
        self.depth: dict[str, int] = {local.name: 0 for local in scalars.values()}
        self.count = 0
        self.alias: dict[Node, Node] = {}  # input of a sub-graph -> the value outside that it stands for
        self.extents: dict[Index, Size] = {}  # of the user's loops, by their variable
        self.places: dict[Node, Index] = {}  # input of a loop's body that counts its steps -> the loop's variable
        self.home: dict[Buffer, int] = {}  # memory -> the frame in which what it holds stays the same
        self.reads: list[tuple[Node, tuple[Index, ...]]] = []  # what was loaded, for the fusion's dependencies

    # -- frames

    def fresh(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def open(self, var: str, border: str = "") -> None:
        self.depth[var] = len(self.frames)
        self.frames.append(Frame(var, border))

    def close(self, extent: Size) -> Loop:
        frame = self.frames.pop()
        return Loop(frame.var, extent, frame.body)

    def leave(self) -> Frame:
        """The innermost frame, closed: what memory was given in it holds still from here on."""
        frame = self.frames.pop()
        for buffer, depth in self.home.items():
            self.home[buffer] = min(depth, len(self.frames) - 1)
        return frame

    @property
    def innermost(self) -> int:
        return len(self.frames) - 1

    def border(self, *kinds: str) -> int:
        """The innermost frame that is the body of a user's loop or branch; 0 if there is none."""
        return max((k for k, frame in enumerate(self.frames) if frame.border in kinds), default=0)

    def emit(self, statement) -> None:
        self.frames[-1].body.append(statement)

    def known(self, key):
        for frame in reversed(self.frames):
            if key in frame.known:
                return frame.known[key]
        return None

    def remember(self, node: Node, idx: tuple[Index, ...], expr) -> None:
        self.frames[-1].known[(node, idx)] = expr

    # -- values

    def value(self, node: Node, idx: tuple[Index, ...]):
        """A local or number that holds node[idx]."""
        found = self.known((node, idx))
        if found is not None:
            return found
        if node in self.scalars:
            return self.scalars[node]
        if node in self.alias:
            return self.value(self.alias[node], idx)
        if node in self.places:
            return self._bind(node, idx, Position(self.places[node], node.dtype))
        if node in self.buffers:
            return self._bind(node, idx, self.load(node, self.buffers[node], idx))
        if node.op.kind != LEAF:
            self._prepare(node, idx)
        return self.compute(node, idx)

    def _prepare(self, node: Node, idx: tuple[Index, ...]) -> None:
        """Bind all that node[idx] is made of, without recursion: a loop that was unrolled may be thousands deep."""
        stack = [(node, idx, False)]
        while stack:
            n, i, visited = stack.pop()
            if visited:
                if n is not node or i != idx:
                    self.value(n, i)
                continue
            stack.append((n, i, True))
            stack.extend((m, j, False) for m, j in self._made_of(n, i) if self._is_open(m, j))

    def _is_open(self, node: Node, idx: tuple[Index, ...]) -> bool:
        """Whether a value is still to be computed from others."""
        computed = node.op.kind in (ELEMENTWISE, VIEW, GATHER) and node not in self.buffers and node not in self.scalars
        return computed and self.known((node, idx)) is None

    def _made_of(self, node: Node, idx: tuple[Index, ...]):
        if node.op.kind == ELEMENTWISE:
            return [(n, idx) for n in node.inputs]
        if node.op.kind == VIEW and not is_rename(node):
            (x,) = node.inputs
            return [(x, tuple(as_index(i) for i in node.op.index(idx, x.type, **node.attrs)))]
        return []

    def load(self, node: Node, buffer: Buffer, idx: tuple[Index, ...]) -> Load:
        self.reads.append((node, idx))
        return Load(*element(buffer, idx), node.dtype)

    def compute(self, node: Node, idx: tuple[Index, ...]):
        """node[idx] from what the node is made of, even where it has memory of its own."""
        if node.op.kind == LEAF:
            return self._leaf(node, idx)
        if node.op.kind == ELEMENTWISE:
            args = tuple(self.value(n, idx) for n in node.inputs)
            return self._bind(node, idx, Apply(node.op, args, node.dtype))
        if node.op.kind == VIEW:
            (x,) = node.inputs
            assert not is_rename(node), f"{node} renames memory that was not planned"
            inner = node.op.index(idx, x.type, **node.attrs)
            return self.value(x, tuple(as_index(i) for i in inner))
        if node.op.kind == GATHER:
            x, table = node.inputs
            before, middle, after = node.op.index(idx, x.type, table.type, **node.attrs)
            place = self.checked_index(table, middle, x.shape[node.attrs["axis"]], node)
            return self.value(x, (*before, place, *after))
        raise AssertionError(f"{node} must be stored")

    def _leaf(self, node: Node, idx: tuple[Index, ...]):
        if node.op.name == "constant" and not isinstance(node.attrs["value"], Constant):
            return Number(node.attrs["value"], node.dtype)
        if node.op.name == "iota":
            return self._bind(node, idx, Position(idx[node.attrs["axis"]], node.dtype))
        if node.op.name == "size":
            return self._bind(node, idx, SizeOf(node.attrs["size"], node.dtype))
        raise AssertionError(f"{node} has no value")

    def checked_index(self, table: Node, idx: tuple[Index, ...], size: Size, node: Node) -> Index:
        """A local that holds table[idx] as an index into an axis of `size`."""
        if table in self.alias:
            return self.checked_index(self.alias[table], idx, size, node)
        if table in self.places and self.extents.get(self.places[table]) == size:
            return self.places[table]  # it counts from 0 to the size
        key = (table, idx, size)
        found = self.known(key)
        if found is None:
            expr = self.value(table, idx)
            # an index that is out of range is an error only where the step is made, or the branch taken
            name, depth = self.fresh("k"), max(self._depth_of(expr), self.border(LOOP, BRANCH))
            self.depth[name] = depth
            self.frames[depth].body.append(CheckIndex(name, expr, size, node))
            found = self.frames[depth].known[key] = variable(name)
        return found

    def _bind(self, node: Node, idx: tuple[Index, ...], expr) -> Local:
        depth = max(self._depth_of(expr), self.border(BRANCH))
        local = Local(self.fresh("v"), node.dtype)
        self.depth[local.name] = depth
        self.frames[depth].body.append(Assign(local.name, expr, node))
        self.frames[depth].known[(node, idx)] = local
        return local

    def _depth_of(self, expr) -> int:
        """The innermost frame that an expression depends on."""
        depth = 0
        for part in subexpressions(expr):
            if isinstance(part, Local):
                depth = max(depth, self.depth[part.name])
            if isinstance(part, Load):
                depth = max(depth, self.home.get(part.buffer.storage, 0))
            for i in part.index if isinstance(part, Load) else (part.index,) if isinstance(part, Position) else ():
                for name in i.variables:
                    depth = max(depth, self.depth[name])
        return depth
