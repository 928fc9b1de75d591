"""Where temporary buffers lie: offsets into one workspace per dtype, from a plan of lifetimes.

A lifetime spans the top-level statements that touch a buffer. Buffers whose lifetimes do not meet may share memory:
best fit among the free gaps for sizes that are numbers; for symbolic sizes a free slot of the very same size.
"""

from __future__ import annotations

from gradgen.ir.sizes import Size, product
from gradgen.schedule.flow import Swap
from gradgen.schedule.program import Buffer, Call, Load, Program
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


def lay_out(program: Program) -> None:
    """Fill `program.offsets` and `program.workspace`."""
    spans = lifetimes([*(s for part in program.parts for s in part.body), *program.body])
    for dtype in dict.fromkeys(b.dtype for b in spans):
        mine = {b: span for b, span in spans.items() if b.dtype == dtype}
        _place(program, dtype, mine)


def _aligned(size: Size) -> Size:
    return -(-size // ALIGN) * ALIGN if isinstance(size, int) else size


def _place(program: Program, dtype, spans: dict[Buffer, tuple[int, int]]) -> None:
    placed: list[tuple[Size, Size, tuple[int, int]]] = []  # offset, size, span
    total: Size = 0
    for buffer in sorted(spans, key=lambda b: (spans[b][0], b.name)):
        size = _aligned(product(buffer.shape))
        live = [(o, n) for o, n, (first, last) in placed if not (last < spans[buffer][0] or spans[buffer][1] < first)]
        offset = _gap(live, placed, size, total)
        if offset is None:
            offset, total = total, total + size
        placed.append((offset, size, spans[buffer]))
        program.offsets[buffer] = offset
    program.workspace[dtype] = total


def _gap(live: list, placed: list, size: Size, total: Size) -> Size | None:
    """An offset where `size` fits between what is live, or None."""
    if not all(isinstance(v, int) for slot in placed for v in slot[:2]) or not isinstance(size, int):
        busy = {str(o) for o, _ in live}
        return next((o for o, n, _ in placed if n == size and str(o) not in busy), None)
    fits, start = [], 0
    for offset, length in sorted(live):
        if offset - start >= size:
            fits.append((offset - start, start))
        start = max(start, offset + length)
    if total - start >= size:
        fits.append((total - start, start))
    return min(fits)[1] if fits else None
