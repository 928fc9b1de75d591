"""What the text of a program needs to know of its arrays: types, shapes, workspaces, where sizes can be read."""

from __future__ import annotations

from gradgen.codegen.expressions import size
from gradgen.ir.sizes import Dim
from gradgen.ir.types import SHORT, Type
from gradgen.schedule.flow import Length, View, While
from gradgen.schedule.program import Buffer, Program
from gradgen.schedule.walks import expressions, subexpressions, walk


def type_of(x) -> Type:
    return Type(x.dtype, x.storage.shape if isinstance(x, Buffer) else ())


def shape_text(shape, always: bool = False) -> str:
    if len(shape) == 1 and not always:
        return size(shape[0])
    return f"({', '.join(size(n) for n in shape)}{',' if len(shape) == 1 else ''})"


def work_name(program: Program, dtype) -> str:
    return "work" if len(program.workspace) == 1 else f"work_{SHORT[dtype.name]}"


def work_names(program: Program) -> list[str]:
    return [work_name(program, dtype) for dtype in program.workspace]


def symbols_of(program: Program) -> dict[str, tuple[Buffer, int]]:
    """Where each symbolic size can be read: an input's axis."""
    found: dict[str, tuple[Buffer, int]] = {}
    for buffer in program.inputs:
        for axis, n in enumerate(buffer.shape if isinstance(buffer, Buffer) else ()):
            if isinstance(n, Dim) and str(n).isidentifier():
                found.setdefault(str(n), (buffer, axis))
    return found


def renamed_in(program: Program) -> list[Buffer]:
    """Buffers that only rename others, in an order in which they can be made. Rows are made where they are used."""
    found: dict[Buffer, None] = {}
    later = {s.buffer for s in walk(program.body) if isinstance(s, View)}

    def add(buffer: Buffer) -> None:
        if buffer.base is not None and buffer not in found:
            add(buffer.base)
            if buffer not in later and not buffer.prefix:
                found[buffer] = None

    for s in walk(program.body):
        for field in ("buffer", "other", "out"):
            if hasattr(s, field):
                add(getattr(s, field))
        for o in getattr(s, "operands", ()):
            add(o.buffer)
        for e in expressions(s):
            for p in subexpressions(e):
                if hasattr(p, "buffer"):
                    add(p.buffer)
    return list(found)


def lengths_of(program: Program) -> set[str]:
    """The names of sizes that loops define as they run."""
    found = {s.name for s in walk(program.body) if isinstance(s, Length)}
    return found | {s.var for s in walk(program.body) if isinstance(s, While)}
