"""Where temporary buffers lie: offsets into one workspace per dtype, from a plan of lifetimes.

A lifetime spans the top-level statements that touch a buffer. Buffers whose lifetimes do not meet may share memory:
best fit among the free gaps for sizes that are numbers; for symbolic sizes a free slot of the very same size. And a
loop that goes through an array for the last time, element by element, may write its result over it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from gradgen.ir.sizes import Size, product
from gradgen.schedule.flow import Swap
from gradgen.schedule.program import (
    Assign,
    Best,
    Buffer,
    Call,
    CheckIndex,
    Index,
    Load,
    Loop,
    Program,
    Store,
    Update,
)  # fmt: skip
from gradgen.schedule.walks import expressions, subexpressions, walk

ALIGN = 16  # elements: a cache line of float32


def buffers_of(statement) -> list[Buffer]:
    """The storage that a statement reads or writes, in the order in which it does: a text must not depend on hashes."""
    found: dict[Buffer, None] = {}
    for s in walk([statement]):
        for field in ("buffer", "other"):
            if hasattr(s, field):
                found[getattr(s, field).storage] = None
        if isinstance(s, Call):
            found.update(dict.fromkeys((s.out.storage, *(o.buffer.storage for o in s.operands))))
        for e in expressions(s):
            found.update((p.buffer.storage, None) for p in subexpressions(e) if isinstance(p, Load))
    return list(found)


def lifetimes(body: list) -> dict[Buffer, tuple[int, int]]:
    """First and last top-level statement of every temporary buffer."""
    found: dict[Buffer, tuple[int, int]] = {}
    for k, statement in enumerate(body):
        for buffer in buffers_of(statement):
            if buffer.role == "temp":
                found[buffer] = (found.get(buffer, (k, k))[0], k)
    for s in walk(body):  # after a loop either name may stand for either memory
        if isinstance(s, Swap):
            both = [b for b in (s.buffer.storage, s.other.storage) if b in found]
            spans = [found[b] for b in both]
            found.update({b: (min(first for first, _ in spans), max(last for _, last in spans)) for b in both})
    return found


@dataclass(frozen=True)
class Slot:
    """Where a buffer lies, in elements, and from which statement to which."""

    buffer: Buffer
    offset: Size
    size: Size
    first: int
    last: int


def lay_out(program: Program) -> None:
    """Fill `program.offsets` and `program.workspace`."""
    statements = [*(s for part in program.parts for s in part.body), *program.body]
    spans = lifetimes(statements)
    for dtype in dict.fromkeys(b.dtype for b in spans):
        _place(program, dtype, {b: span for b, span in spans.items() if b.dtype == dtype}, statements)


def _aligned(size: Size) -> Size:
    return -(-size // ALIGN) * ALIGN if isinstance(size, int) else size


def _place(program: Program, dtype, spans: dict[Buffer, tuple[int, int]], statements: list) -> None:
    placed: list[Slot] = []
    total: Size = 0
    for buffer in sorted(spans, key=lambda b: (spans[b][0], b.name)):
        size, (first, last) = _aligned(product(buffer.shape)), spans[buffer]
        live = [s for s in placed if not (s.last < first or last < s.first)]
        offset = _inherited(buffer, first, live, statements)
        if offset is None:
            offset = _gap(live, placed, size, total)
        if offset is None:
            offset, total = total, total + size
        placed.append(Slot(buffer, offset, size, first, last))
        program.offsets[buffer] = offset
    program.workspace[dtype] = total


def _inherited(buffer: Buffer, first: int, live: list[Slot], statements: list) -> Size | None:
    """The place of a buffer that is read for the last time in the loop that makes this one, element by element."""
    for old in live:
        alone = not any(_overlap(old, s) for s in live if s is not old)
        if old.first < first == old.last and alone and in_step(statements[first], old.buffer, buffer):
            return old.offset
    return None


def _overlap(a: Slot, b: Slot) -> bool:
    if all(isinstance(n, int) for n in (a.offset, a.size, b.offset, b.size)):
        return a.offset < b.offset + b.size and b.offset < a.offset + a.size  # type: ignore[operator]
    return str(a.offset) == str(b.offset)


def _gap(live: list[Slot], placed: list[Slot], size: Size, total: Size) -> Size | None:
    """An offset where `size` fits between what is live, or None."""
    if not all(isinstance(v, int) for slot in placed for v in (slot.offset, slot.size)) or not isinstance(size, int):
        free = (s.offset for s in placed if s.size == size and not any(_overlap(s, other) for other in live))
        return next(free, None)
    fits, start = [], 0
    for offset, length in sorted((s.offset, s.size) for s in live):
        if offset - start >= size:
            fits.append((offset - start, start))
        start = max(start, offset + length)
    if total - start >= size:
        fits.append((total - start, start))
    return min(fits)[1] if fits else None


# -- in the memory of an operand


def in_step(statement, old: Buffer, new: Buffer) -> bool:
    """Whether a loop reads each element of `old` before it writes that of `new`, and never after.

    So it is where all of them have one index, in one body, that tells every step of the loops around it from the
    others, and no read follows the first write.
    """
    if old.shape != new.shape or not isinstance(statement, Loop):
        return False
    found = list(_accesses(statement, (), {old, new}))
    if len({(a.place, a.body, a.loops) for a in found}) != 1 or found[0].place is None:
        return False
    place, loops = found[0].place, found[0].loops
    written = next((k for k, a in enumerate(found) if a.buffer is new), len(found))
    late = any(a.buffer is old for a in found[written:])
    return not late and all(any(i.is_variable(var) for i in place) for var in loops)


class Access(NamedTuple):
    """A use of a buffer: of the element at a place, or else (None), in which body under which loops."""

    buffer: Buffer
    place: tuple[Index, ...] | None
    body: int
    loops: tuple[str, ...]


def _accesses(loop: Loop, around: tuple[str, ...], wanted: set[Buffer]) -> Iterator[Access]:
    """The uses of the wanted buffers in the order of the code."""
    loops = (*around, loop.var)
    for s in loop.body:
        if isinstance(s, Loop):
            yield from _accesses(s, loops, wanted)
        elif isinstance(s, (Store, Update, Assign, CheckIndex, Best)):
            loads = [p for e in expressions(s) for p in subexpressions(e) if isinstance(p, Load)]
            for use in (*loads, *([s] if isinstance(s, (Store, Update)) else [])):
                if use.buffer.storage in wanted:
                    place = use.index if use.buffer in wanted else None  # under another name it has another shape
                    yield Access(use.buffer.storage, place, id(loop), loops)
        else:
            yield from (Access(b, None, id(loop), loops) for b in buffers_of(s) if b in wanted)
