"""Loop program -> loop program: what nobody reads is dropped, what is read once is written where it is read."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from gradgen.schedule.flow import Allocate, Grow, If, Swap
from gradgen.schedule.program import (
    Apply,
    Assign,
    Best,
    Buffer,
    Call,
    CallAdd,
    CheckIndex,
    Combine,
    Fill,
    Load,
    Local,
    Loop,
    Program,
    Store,
    Update,
)  # fmt: skip
from gradgen.schedule.walks import bodies, expressions, indices, subexpressions, walk

WIDTH = 6  # ops in one expression


def tidy(program: Program) -> None:
    """Prune, then join expressions; in place."""
    while _prune(program):
        pass
    accumulators = {s.name for s in walk(program.body) if isinstance(s, Assign) and s.again}
    accumulators |= {n for s in walk(program.body) if isinstance(s, Best) for n in (s.acc, s.position)}
    _inline(program.body, _uses(program), accumulators)


def _uses(program: Program) -> Counter:
    """How often each local is read: as often as its text would stand in the code."""
    uses: Counter = Counter(r.name for r in program.results if isinstance(r, Local))
    for statement in walk(program.body):
        for expr in expressions(statement):
            _count(expr, uses, 1 if not isinstance(statement, (Best, Update, CheckIndex)) else 2)
        uses.update(v for i in indices(statement) for v in i.variables)
        if isinstance(statement, Best):
            uses.update((statement.acc, statement.position))
    return uses


def _count(expr, uses: Counter, times: int) -> None:
    if isinstance(expr, Local):
        uses[expr.name] += times
    elif isinstance(expr, Apply):
        for key, arg in zip("xyz", expr.args, strict=False):
            _count(arg, uses, times * max(1, emit_template(expr).count("{" + key + "}")))
    elif isinstance(expr, Combine):
        _count(expr.acc, uses, expr.template.count("{acc}"))
        _count(expr.x, uses, times * expr.template.count("{x}"))


def emit_template(expr: Apply) -> str:
    op = expr.op
    return op.integer_emit if op.integer_emit and expr.dtype.kind in "iu" else op.emit or ""


def _prune(program: Program) -> bool:
    """Drop stores into temporaries that nobody reads, and locals without a reader. Whether anything went."""
    read: set[Buffer] = set()
    for s in walk(program.body):
        for e in expressions(s):
            read |= {p.buffer.storage for p in subexpressions(e) if isinstance(p, Load)}
        if isinstance(s, Call):
            read |= {o.buffer.storage for o in s.operands}
        if isinstance(s, CallAdd):
            read.add(s.out.storage)
    swaps = [s for s in walk(program.body) if isinstance(s, Swap)]
    for s in swaps:
        if {s.buffer.storage, s.other.storage} & read:
            read |= {s.buffer.storage, s.other.storage}
    used = _readers(program)

    def dead(s) -> bool:
        if isinstance(s, Grow):
            s.buffers = tuple(b for b in s.buffers if b.storage in read)
            return not s.buffers
        if isinstance(s, (Store, Update, Fill, Swap, Allocate)):
            return s.buffer.storage.role in ("temp", "stack") and s.buffer.storage not in read
        if isinstance(s, Assign):
            return s.name not in used
        if isinstance(s, Best):
            return s.position not in used and s.acc not in used
        if isinstance(s, If):
            return not s.then and not s.otherwise
        return isinstance(s, Loop) and not s.body

    return _drop(program.body, dead)


def _readers(program: Program) -> set[str]:
    """Locals that something other than their own accumulation reads."""
    used = {r.name for r in program.results if isinstance(r, Local)}
    for s in walk(program.body):
        own = {s.name} if isinstance(s, Assign) and s.again else set()
        for e in expressions(s):
            used |= {p.name for p in subexpressions(e) if isinstance(p, Local)} - own
        used |= {v for i in indices(s) for v in i.variables}
        if isinstance(s, Best):
            used.add(s.acc)
    return used


def _drop(body: list, dead) -> bool:
    gone = False
    for s in body:
        for inner in bodies(s):
            gone |= _drop(inner, dead)
    kept = [s for s in body if not dead(s)]
    gone |= len(kept) < len(body)
    body[:] = kept
    return gone


class _Pending:
    """Assignments that wait for their one reader, by name; and who reads which local or memory."""

    def __init__(self):
        self.waiting: dict[str, Assign] = {}
        self.readers: dict[Any, dict[str, None]] = {}

    def add(self, s: Assign) -> None:
        self.waiting[s.name] = s
        for part in subexpressions(s.expr):
            if isinstance(part, (Load, Local)):
                key = part.name if isinstance(part, Local) else part.buffer.storage
                self.readers.setdefault(key, {})[s.name] = None

    def reading(self, keys) -> list[str]:
        """The names of those that read one of these, in the order in which they came."""
        return [name for key in keys for name in self.readers.get(key, ()) if name in self.waiting]


def _inline(body: list, uses: Counter, accumulators: set[str]) -> None:
    """Write a local that is read once where it is read: in the same body, with nothing changed in between."""
    pending = _Pending()
    out: list = []

    def settle(names) -> None:
        out.extend(pending.waiting.pop(name) for name in dict.fromkeys(names) if name in pending.waiting)

    for s in body:
        for inner in bodies(s):
            _inline(inner, uses, accumulators)
            settle(_locals_in(inner))
        for field in ("expr", "x"):
            if hasattr(s, field):
                setattr(s, field, _substituted(getattr(s, field), pending.waiting, settle))
        settle(pending.reading(_changed(s)))
        if isinstance(s, Assign) and uses[s.name] == 1 and s.name not in accumulators:
            pending.add(s)
        else:
            out.append(s)
    settle(list(pending.waiting))
    body[:] = out


def _substituted(expr, pending: dict[str, Assign], settle):
    """The expression with pending locals written out, as long as it stays readable."""
    for part in [p for p in subexpressions(expr) if isinstance(p, Local) and p.name in pending]:
        if part.name not in pending:
            continue
        inner = pending[part.name].expr
        if _width(expr) + _width(inner) > WIDTH:
            settle([part.name])
        else:
            del pending[part.name]
            expr = _replaced(expr, part.name, inner)
    return expr


def _width(expr) -> int:
    return sum(1 for p in subexpressions(expr) if isinstance(p, (Apply, Combine)))


def _replaced(expr, name: str, inner):
    if isinstance(expr, Local):
        return inner if expr.name == name else expr
    if isinstance(expr, Apply):
        return replace(expr, args=tuple(_replaced(a, name, inner) for a in expr.args))
    if isinstance(expr, Combine):
        return replace(expr, x=_replaced(expr.x, name, inner))
    return expr


def _locals_in(body: list) -> list[str]:
    found: dict[str, None] = {}
    for s in walk(body):
        found.update((p.name, None) for e in expressions(s) for p in subexpressions(e) if isinstance(p, Local))
        found.update((v, None) for i in indices(s) for v in i.variables)
    return list(found)


def _changed(s) -> list:
    """The memory and the locals that a statement changes."""
    found: dict[Any, None] = {}
    for inner in walk([s]):
        if isinstance(inner, (Store, Update, Fill)):
            found[inner.buffer.storage] = None
        elif isinstance(inner, Call):
            found[inner.out.storage] = None
        elif isinstance(inner, Swap):
            found.update({inner.buffer.storage: None, inner.other.storage: None})
        elif isinstance(inner, Grow):
            found.update(dict.fromkeys(b.storage for b in inner.buffers))
        elif isinstance(inner, Assign):
            found[inner.name] = None
        elif isinstance(inner, Best):
            found.update({inner.acc: None, inner.position: None})
    return list(found)
