"""A loop program as text, for reading."""

from __future__ import annotations

from gradgen.schedule.flow import Allocate, Grow, If, Length, Stop, Swap, View, While
from gradgen.schedule.program import (
    Apply,
    Assign,
    Best,
    Call,
    CallAdd,
    CheckIndex,
    Combine,
    Fill,
    Index,
    Load,
    Local,
    Loop,
    Number,
    Position,
    Program,
    Store,
    Update,
)  # fmt: skip
from gradgen.schedule.walks import bodies


def to_text(program: Program) -> str:
    """The program, one statement a line."""
    inputs = ", ".join(x.name for x in program.inputs)
    results = ", ".join(_expr(r) if not hasattr(r, "role") else r.name for r in program.results)
    return "\n".join([f"{program.name}({inputs}) -> {results}", *_body(program.body, "  ")])


def _body(body: list, pad: str) -> list[str]:
    lines = []
    for s in body:
        lines.append(pad + _statement(s))
        for k, inner in enumerate(bodies(s)):
            lines.extend([*([pad + "else"] if k else []), *_body(inner, pad + "  ")])
    return lines


def _at(buffer, index) -> str:
    return f"{buffer.name}[{', '.join(index_text(i) for i in index)}]"


def _statement(s) -> str:
    if isinstance(s, Loop):
        return f"for {s.var} < {s.extent}{' reversed' * s.reverse}"
    if isinstance(s, While):
        return f"while {s.var} < {s.limit or 'inf'}"
    if isinstance(s, (Stop, If)):
        return f"{'stop unless' if isinstance(s, Stop) else 'if'} {_expr(s.expr)}"
    if isinstance(s, Length):
        return f"{s.name} = {_expr(s.expr)}"
    if isinstance(s, Grow):
        return f"grow {', '.join(b.name for b in s.buffers)}"
    if isinstance(s, (Allocate, View)):
        return f"{type(s).__name__.lower()} {s.buffer.name}"
    if isinstance(s, Swap):
        return f"swap {s.buffer.name}, {s.other.name}"
    if isinstance(s, Assign):
        return f"{s.name} {':=' if s.again else '='} {_expr(s.expr)}"
    if isinstance(s, Store):
        return f"{_at(s.buffer, s.index)} = {_expr(s.expr)}"
    if isinstance(s, Update):
        return f"{_at(s.buffer, s.index)} <- {s.template} {_expr(s.expr)}"
    if isinstance(s, Fill):
        return f"fill {_at(s.buffer, s.index)} {s.value.value}"
    if isinstance(s, CheckIndex):
        return f"{s.name} = {_expr(s.expr)} checked < {s.size}"
    if isinstance(s, Best):
        return f"{s.acc}, {s.position} := best({_expr(s.x)}, {index_text(s.index)})"
    assert isinstance(s, Call)
    operands = ", ".join(o.buffer.name + (".T" if o.transposed else "") for o in s.operands)
    if isinstance(s, CallAdd):
        return f"{s.out.name} += {_expr(s.expr)} * {s.op.name}({operands})"
    return f"{s.out.name} = {s.op.name}({operands})"


def index_text(i: Index) -> str:
    parts = [name if c == 1 else f"{c}*{name}" for name, c in i.terms]
    if i.const != 0 or not parts:
        parts.append(str(i.const))
    return " + ".join(parts)


def _expr(e) -> str:
    if isinstance(e, Number):
        return str(e.value)
    if isinstance(e, Local):
        return e.name
    if isinstance(e, Load):
        return _at(e.buffer, e.index)
    if isinstance(e, Apply):
        return f"{e.op.name}({', '.join(_expr(a) for a in e.args)})"
    if isinstance(e, Combine):
        return e.template.format(acc=_expr(e.acc), x=_expr(e.x))
    return index_text(e.index) if isinstance(e, Position) else str(e.size)
