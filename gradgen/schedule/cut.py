"""A very long program -> several that are run one after the other: compile time is linear in length up to some point.

    in:  v1 = ... ; v2 = ... ; [1000 more] ; v900 = v1 * v899
    out: part 1: v1 = ... ; spill[0] = v1        part 2: v1 = spill[0] ; ... ; v900 = v1 * v899

What one part hands another lies in memory: arrays do anyway, locals are spilled. A cut never separates what allocates
a stack from those that use it. What is spilled costs compile time too, three times that of a statement.
"""

from __future__ import annotations

from gradgen.schedule.flow import Allocate, Length, Swap, View, While
from gradgen.schedule.program import Assign, Best, Buffer, CheckIndex, Index, Load, Local, Program, Store
from gradgen.schedule.walks import expressions, indices, subexpressions, walk
from gradgen.schedule.workspace import buffers_of

LONG = 4000  # statements of one function; the time per statement was the same from 300 to 6,000


def cut(program: Program) -> list[Program]:
    """The parts, none where the program is short. Its own body is left to load its scalar results."""
    if _weight(program.body) <= 2 * LONG:
        return []
    chunks = _chunks(program.body)
    assigned = [_assigned(chunk) for chunk in chunks]
    used = [_used(chunk) for chunk in chunks]
    results = {r.name for r in program.results if isinstance(r, Local)}
    shared = _crossing(assigned, used, results)
    dtypes = {name: dtype for names in assigned for name, dtype in names.items() if name in shared}
    memory: dict[str, tuple[Buffer, Index]] = {}
    for dtype in dict.fromkeys(dtypes.values()):
        names = [n for n in dtypes if dtypes[n] == dtype]
        buffer = Buffer("spill", dtype, (len(names),), "temp")
        memory.update({n: (buffer, Index(k)) for k, n in enumerate(names)})
    known: set[str] = set()
    parts = []
    for k, chunk in enumerate(chunks):
        needed = (used[k] | _reassigned(chunk)) & known & {*memory}
        loads = [Assign(n, Load(memory[n][0], (memory[n][1],), dtypes[n])) for n in sorted(needed)]
        stores = [Store(memory[n][0], (memory[n][1],), Local(n, dtypes[n])) for n in assigned[k] if n in memory]
        known |= {*assigned[k]}
        arrays = [r for r in program.results if isinstance(r, Buffer)]
        parts.append(Program(f"{program.name}_part{k + 1}", program.inputs, arrays, [*loads, *chunk, *stores]))
    given = {x.name for x in program.inputs if isinstance(x, Local)}
    program.body = [
        Assign(n, Load(memory[n][0], (memory[n][1],), dtypes[n])) for n in dict.fromkeys(
            r.name for r in program.results if isinstance(r, Local)) if n not in given
    ]  # fmt: skip
    return parts


def _weight(body: list) -> int:
    return sum(1 for _ in walk(body))


def _chunks(body: list) -> list[list]:
    """Runs of top-level statements, of about LONG statements each, that share no stack and no size."""
    found: list[list] = [[]]
    weight, held = 0, _held(body)
    for k, s in enumerate(body):
        size = _weight([s])
        if weight + size > LONG and found[-1] and k not in held:
            found.append([])
            weight = 0
        found[-1].append(s)
        weight += size
    return found


def _held(body: list) -> set[int]:
    """The places in front of which no cut may be: between an allocation, or a size, and its last use."""
    opened: dict = {}
    last: dict = {}
    for k, s in enumerate(body):
        for inner in walk([s]):
            if isinstance(inner, (Allocate, View)):
                opened.setdefault(inner.buffer.storage, k)
            elif isinstance(inner, Swap):  # which of both holds the last carry is in their names alone
                opened.setdefault(inner.buffer.storage, k)
                opened.setdefault(inner.other.storage, k)
            elif isinstance(inner, (Length, While)):
                opened.setdefault(getattr(inner, "var", None) or inner.name, k)  # type: ignore[union-attr]
        for key in opened:
            if (key in buffers_of(s)) if isinstance(key, Buffer) else _mentions(s, key):
                last[key] = k
    return {k for key, first in opened.items() for k in range(first + 1, last.get(key, first) + 1)}


def _mentions(s, name: str) -> bool:
    return any(name in str(getattr(inner, "extent", "")) for inner in walk([s])) or name in _used([s])


def _assigned(chunk: list) -> dict:
    found = {}
    for s in walk(chunk):
        if isinstance(s, (Assign, CheckIndex)):
            found[s.name] = s.expr.dtype
    return found


def _reassigned(chunk: list) -> set[str]:
    """The carries and accumulators: a loop without steps leaves them as they were."""
    return {s.name for s in walk(chunk) if isinstance(s, Assign) and s.again}


def _used(chunk: list) -> set[str]:
    found: set[str] = set()
    for s in walk(chunk):
        found |= {p.name for e in expressions(s) for p in subexpressions(e) if isinstance(p, Local)}
        found |= {v for i in indices(s) for v in i.variables}
        if isinstance(s, Best):
            found |= {s.acc, s.position}
    return found


def _crossing(assigned: list[dict], used: list[set], results: set[str]) -> set[str]:
    """The locals that one chunk makes and another, or the result, needs."""
    found: set[str] = set()
    for k, names in enumerate(assigned):
        elsewhere = set().union(results, *(u for j, u in enumerate(used) if j != k))
        found |= {*names} & elsewhere
    return found
