"""Reading a loop program: its statements, their expressions and indices; and `check`, what must hold of it."""

from __future__ import annotations

from gradgen.errors import GraphError, UnsupportedError
from gradgen.ops.control import run_symbols
from gradgen.schedule.flow import Allocate, If, Length, View, While
from gradgen.schedule.program import (
    Apply,
    Assign,
    Best,
    Buffer,
    Call,
    CheckIndex,
    Combine,
    Index,
    Load,
    Local,
    Loop,
    Position,
    Program,
    SizeOf,
)  # fmt: skip


def bodies(statement) -> tuple[list, ...]:
    """The lists of statements that a statement holds."""
    if isinstance(statement, (Loop, While)):
        return (statement.body,)
    return (statement.then, statement.otherwise) if isinstance(statement, If) else ()


def walk(body: list):
    """All statements, outer ones first."""
    for statement in body:
        yield statement
        for inner in bodies(statement):
            yield from walk(inner)


def expressions(statement) -> list:
    return [statement.expr] if hasattr(statement, "expr") else [statement.x] if isinstance(statement, Best) else []


def subexpressions(expr):
    yield expr
    for part in expr.args if isinstance(expr, Apply) else (expr.acc, expr.x) if isinstance(expr, Combine) else ():
        yield from subexpressions(part)


def indices(statement) -> list[Index]:
    """All indices that a statement uses."""
    found = list(getattr(statement, "index", ())) if not isinstance(statement, Best) else [statement.index]
    for expr in expressions(statement):
        for part in subexpressions(expr):
            found.extend(part.index if isinstance(part, Load) else [part.index] if isinstance(part, Position) else [])
    for buffer in touched(statement):
        whole: Buffer | None = buffer
        while whole is not None:
            found.extend(whole.prefix)
            whole = whole.base
    return found


def touched(statement) -> list[Buffer]:
    """The buffers that a statement takes whole."""
    if isinstance(statement, Call):
        return [statement.out, *(o.buffer for o in statement.operands)]
    return [statement.buffer] if isinstance(statement, View) else []


def check(program: Program) -> Program:
    """The program itself, or GraphError: every variable and local is known where it is used."""
    known = {x.name for x in program.inputs if isinstance(x, Local)}
    _check_body(program.body, known)
    for result in program.results:
        if isinstance(result, Local) and result.name not in known:
            raise GraphError(f"{program.name}: result {result.name} is never assigned")
    return program


def _lengths_used(s) -> set[str]:
    """The sizes that a loop's run tells and that a statement mentions."""
    sizes = [n for i in indices(s) for n in (i.const, *(c for _, c in i.terms))]
    sizes += [p.size for e in expressions(s) for p in subexpressions(e) if isinstance(p, SizeOf)]
    if isinstance(s, Loop):
        sizes.append(s.extent)
    elif isinstance(s, (Allocate, View)):
        grows = isinstance(s, Allocate) and s.rows is not None  # to a size that is known when it is done
        sizes += s.buffer.shape[int(grows) :]
    return set().union(*(run_symbols(n) for n in sizes))


def _check_body(body: list, known: set[str]) -> None:
    for statement in body:
        used = {v for i in indices(statement) for v in i.variables}
        used |= {p.name for e in expressions(statement) for p in subexpressions(e) if isinstance(p, Local)}
        if isinstance(statement, Best):
            used |= {statement.acc, statement.position}
        if not _lengths_used(statement) <= known:
            raise UnsupportedError("a size that only a loop's run tells, where that loop does not run",
                                   where=getattr(statement.node, "source", None),
                                   hint="sum it up in the loop's carry instead")  # fmt: skip
        if not used <= known:
            raise GraphError(f"loop program: {sorted(used - known)} used before assignment in {statement}")
        if isinstance(statement, (Assign, CheckIndex, Length)):
            known.add(statement.name)
        if isinstance(statement, While):
            known.add(statement.var)
        after = []
        for inner in bodies(statement):
            after.append({*known, getattr(statement, "var", "")})
            _check_body(inner, after[-1])
        if isinstance(statement, If):
            known |= after[0] & after[1]
