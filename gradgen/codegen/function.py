"""One loop program -> the text of two functions.

f_into(inputs, outputs, workspace) -> scalar results     allocates nothing
f(inputs) -> results                                      checks shapes, allocates, calls f_into
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradgen.codegen import control
from gradgen.codegen.expressions import Expressions, number, size
from gradgen.codegen.layout import lengths_of, renamed_in, shape_text, symbols_of, type_of, work_name, work_names
from gradgen.codegen.names import Names
from gradgen.codegen.parts import parts_of
from gradgen.ir.sizes import Size, product
from gradgen.ir.types import Type
from gradgen.schedule.program import (
    Assign,
    Best,
    Buffer,
    Call,
    CallAdd,
    CheckIndex,
    Fill,
    Index,
    Loop,
    Program,
    Store,
    Update,
)  # fmt: skip
from gradgen.schedule.walks import bodies, walk

PAD = "    "
SHORT_LOOP = (5, 128)
BRIEF = 200  # statements


@dataclass
class Function:
    """The text of a program's functions, and what a caller must know of them."""

    name: str
    text: str
    needs: set[str]  # the functions of gradgen.runtime that the text calls
    input_types: list[Type]
    output_types: list[Type]
    constants: dict[str, np.ndarray]
    workspace: list[tuple[np.dtype, Size]]
    is_brief: bool  # numbers in, numbers out, a few operations: to let other threads run would take as long as they do


class Printer:
    """Prints one program. It decides nothing: order, storage and names are given."""

    def __init__(
        self, program: Program, guards: Sequence = (), parallel: bool = False, outputs: dict[Buffer, str] | None = None
    ):
        """`guards`: facts about sizes to check; `parallel`: spread outer loops over threads where none can meet;
        `outputs`: names that the results have already."""
        self.program, self.guards, self.parallel = program, guards, parallel
        self.title = program.name.rpartition("_")[0]  # without its hash
        self.symbols = symbols_of(program)
        functions = {program.name, f"{program.name}_into"}
        lengths = {*lengths_of(program), *(f"n{k}" for k in range(*SHORT_LOOP))}
        self.names = Names(program, {*self.symbols, *lengths, *functions, *work_names(program)}, outputs)
        self.expressions = Expressions(self.names, parallel)
        self.line_before: str | None = None
        self.needs = self.expressions.needs
        self.lengths: dict[str, str] = {}  # text that gives a length -> name of the length

    def function(self) -> Function:
        self.parts, calls = parts_of(self, Printer)
        body = calls + self.body(self.program.body, PAD)
        prologue = [f"{PAD}{line}" for line in self.prologue(body)]
        returned = self._returned(scalars_only=True)
        epilogue = [f"{PAD}return {', '.join(returned)}"] if returned else []
        lines = [*prologue, *body, *epilogue] or [f"{PAD}pass"]
        plain = not self.names.outputs and not self.program.workspace and not self._checks()
        suffix = "" if plain else "_into"  # numbers in, numbers out: nothing to check and to allocate
        threads = ", parallel=True" if any("in prange(" in line for line in lines) else ""
        into = [
            f"@njit(**OPTIONS{threads})\ndef {self.program.name}{suffix}({', '.join(self._into_parameters())}):",
            *lines,
        ]
        text = "\n".join([*self.parts, *into, *(() if plain else ("", "", *self._wrapper()))])
        program = self.program
        return Function(
            program.name, text, self.needs, [type_of(x) for x in program.inputs],
            [type_of(r) for r in program.results], {self.names[b]: a for b, a in program.constants.items()},
            list(program.workspace.items()), plain and len(body) <= BRIEF and not any(bodies(s) for s in program.body),
        )  # fmt: skip

    # -- signatures

    def _into_parameters(self) -> list[str]:
        return [*self.names.inputs, *self.names.outputs.values(), *work_names(self.program)]

    def _returned(self, scalars_only: bool) -> list[str]:
        texts = []
        for r in self.program.results:
            if isinstance(r, Buffer):
                if not scalars_only:
                    texts.append(self.names[r.storage])
            else:
                texts.append(self.expressions.text(r))
        return texts

    def prologue(self, body: list[str]) -> list[str]:
        lines = []
        text = "\n".join(body)
        for name, (buffer, axis) in self.symbols.items():
            lines.append(f"{name} = {self.names[buffer]}.shape[{axis}]")
        for length, name in self.lengths.items():
            lines.append(f"{name} = {length}")
        views: list[str] = []
        for buffer in reversed(renamed_in(self.program)):  # one may be made from another
            if re.search(rf"\b{self.names[buffer]}\b", text):
                views.insert(0, self._view(buffer))
                text = views[0] + text
        for buffer, offset in sorted(self.program.offsets.items(), key=lambda p: str(p[1])):
            if not self.program.parts or re.search(rf"\b{self.names[buffer]}\b", text):
                lines.append(self._carve(buffer, offset))
        lines += views
        return lines

    def _view(self, buffer: Buffer) -> str:
        return f"{self.names[buffer]} = {self.piece(buffer)}"

    def piece(self, buffer: Buffer) -> str:
        """A buffer that is a part of another, or another shape of it."""
        self.needs.add("carve")
        base, start = buffer.base, Index()
        assert base is not None
        for k, i in enumerate(buffer.prefix):
            start = start + i * product(base.shape[k + 1 :])
        return f"carve({self.array(base)}, {self.expressions.index(start)}, {shape_text(buffer.shape)})"

    def array(self, buffer: Buffer) -> str:
        """The text of a whole array."""
        return self.piece(buffer) if buffer.prefix else self.names[buffer]

    def _carve(self, buffer: Buffer, offset: Size) -> str:
        self.needs.add("carve")
        work = work_name(self.program, buffer.dtype)
        return f"{self.names[buffer]} = carve({work}, {size(offset)}, {shape_text(buffer.shape)})"

    # -- the allocating wrapper

    def _wrapper(self) -> list[str]:
        program, names = self.program, self.names
        lines = ["@njit(**OPTIONS)", f"def {program.name}({', '.join(names.inputs)}):"]
        lines += [PAD + line for line in self._checks()]
        for buffer, name in names.outputs.items():
            lines.append(f"{PAD}{name} = np.empty({shape_text(buffer.shape)}, np.{buffer.dtype.name})")
        for dtype, count in program.workspace.items():
            lines.append(f"{PAD}{work_name(program, dtype)} = np.empty({size(count)}, np.{dtype.name})")
        call = f"{program.name}_into({', '.join(self._into_parameters())})"
        scalars = [k for k, r in enumerate(program.results) if not isinstance(r, Buffer)]
        if len(scalars) == len(program.results):
            return [*lines, f"{PAD}return {call}"]
        if not scalars:
            return [*lines, f"{PAD}{call}", f"{PAD}return {', '.join(self._returned(False))}"]
        places = [f"r{k}" if k in scalars else self._returned(False)[k] for k in range(len(program.results))]
        left = ", ".join(f"r{k}" for k in scalars)
        return [*lines, f"{PAD}{left} = {call}", f"{PAD}return {', '.join(places)}"]

    def _checks(self) -> list[str]:
        lines = []
        arrays = [x for x in self.program.inputs if isinstance(x, Buffer)]
        for name, (buffer, axis) in self.symbols.items():
            lines.append(f"{name} = {self.names[buffer]}.shape[{axis}]")
        for buffer in arrays:
            lines.append(f"if {self.names[buffer]}.shape != {shape_text(buffer.shape, always=True)}:")
            kind = str(type_of(buffer)).replace(",", ", ")
            lines.append(f'{PAD}raise ValueError("{self.title}: {self.names[buffer]} must be {kind}")')
        for a, relation, b in self.guards:
            lines.append(f"if not {size(a)} {relation} {size(b)}:")
            lines.append(f'{PAD}raise ValueError("{self.title}: compiled for {a} {relation} {b}")')
        return lines

    # -- statements

    def body(self, statements: list, pad: str) -> list[str]:
        return [line for s in statements for line in self._statement(s, pad)]

    def _statement(self, s, pad: str) -> list[str]:
        text = self.expressions.text
        if isinstance(s, control.KINDS):
            return control.lines(self, s, pad)
        if isinstance(s, Loop) and s.carried:
            return control.loop(self, s, pad)
        if isinstance(s, Loop):
            threads = self.parallel and self.expressions.depth == 0 and _independent(s)
            lines = [f"{pad}for {self.names[s.var]} in {'prange' if threads else 'range'}({self._extent(s)}):"]
            self.expressions.depth += 1
            lines += self.body(s.body, pad + PAD)
            self.expressions.depth -= 1
            return lines
        if isinstance(s, Assign):
            line = f"{self.names[s.name]} = {text(s.expr)}"
        elif isinstance(s, Store):
            line = f"{self.expressions.at(s.buffer, s.index)} = {text(s.expr)}"
        elif isinstance(s, Update):
            line = self._update(s)
        elif isinstance(s, Fill):
            index = ", ".join([*(self.expressions.index(i) for i in s.index), "..."])
            line = f"{self.names[s.buffer]}[{index}] = {number(s.value.value, s.value.dtype)}"
        elif isinstance(s, CheckIndex):
            return self._check_index(s, pad)
        elif isinstance(s, Best):
            acc, x = self.names[s.acc], text(s.x)
            better = s.template.format(acc=acc, x=x)
            line = f"if {better}:\n{pad}{PAD}{acc}, {self.names[s.position]} = {x}, {self.expressions.index(s.index)}"
        else:
            assert isinstance(s, Call)
            return self._call(s, pad)
        return [f"{pad}{line}{self.comment(s, len(pad) + len(line))}"]

    def _extent(self, loop: Loop) -> str:
        """A short innermost loop runs to a size read from an argument: LLVM would unroll it before vectorising it."""
        n = loop.extent
        innermost = not any(isinstance(s, Loop) for s in loop.body)
        if not (innermost and isinstance(n, int) and SHORT_LOOP[0] <= n <= SHORT_LOOP[1]):
            return size(n)
        for buffer, name in zip(self.program.inputs, self.names.inputs, strict=True):
            for axis, m in enumerate(getattr(buffer, "shape", ())):
                if m == n:
                    return self.lengths.setdefault(f"{name}.shape[{axis}]", f"n{n}")
        return size(n)

    def _update(self, s: Update) -> str:
        place, x = self.expressions.at(s.buffer, s.index), self.expressions.text(s.expr)
        if s.template == "{acc} + {x}" and s.buffer.dtype.kind == "f":
            return f"{place} += {x}"
        return f"{place} = {s.template.format(acc=place, x=f'({x})')}"

    def _check_index(self, s: CheckIndex, pad: str) -> list[str]:
        name, n = self.names[s.name], size(s.size)
        expr = self.expressions.text(s.expr)
        return [
            f"{pad}{name} = {expr}{self.comment(s, len(pad) + len(name) + len(expr) + 3)}",
            f"{pad}if {name} < 0:",
            f"{pad}{PAD}{name} += {n}",
            f"{pad}if {name} < 0 or {name} >= {n}:",
            f'{pad}{PAD}raise IndexError("{self.title}: index out of range in {_where(s)}")',
        ]

    def _call(self, s: Call, pad: str) -> list[str]:
        batch = s.out.shape[:-2]
        loops, subscript = [], []
        for depth, n in enumerate(batch):
            var = self.names._loops[len(pad) // len(PAD) - 1 + depth]  # of no loop around
            loops.append(f"{pad}{PAD * depth}for {var} in range({size(n)}):")
            subscript.append(var)
        at = f"[{', '.join(subscript)}]" if subscript else ""
        operands = [f"{self.array(o.buffer)}{'' if o.shared else at}{'.T' if o.transposed else ''}" for o in s.operands]
        out, inner = f"{self.array(s.out)}{at}", pad + PAD * len(batch)
        line = f"np.dot({', '.join(operands)}, {out})"
        if isinstance(s, CallAdd):
            self.needs.add("add_matmul")
            scale = self.expressions.text(s.expr)
            line = f"add_matmul({out}, {', '.join(operands)}, {scale})"
            loops.append(f"{inner}# {out} += {scale} * ({' @ '.join(operands)})")
        return [*loops, f"{inner}{line}{self.comment(s, len(inner) + len(line))}"]

    def comment(self, s, width: int) -> str:
        """The user's line, where it is another than that of the statement before."""
        source = s.node.source if s.node is not None else None
        if source is None or source.short == self.line_before:
            return ""
        self.line_before = source.short
        text = source.text
        fits = text and width + len(text) + len(source.short) < 112
        return f"  # {source.short}  {text}" if fits else f"  # {source.short}"


def _independent(loop: Loop) -> bool:
    """Whether no iteration touches what another writes: plain stores only, each at the loop's own index."""
    inner = list(walk(loop.body))
    plain = all(isinstance(s, (Loop, Store, Assign)) and not getattr(s, "again", False) for s in inner)
    stores = [s for s in inner if isinstance(s, Store)]
    return plain and all(any(i.is_variable(loop.var) for i in s.index) for s in stores)


def _where(s: CheckIndex) -> str:
    return s.node.source.short if s.node is not None and s.node.source is not None else "take"
