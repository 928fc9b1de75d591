"""Loops that carry, branches, and the memory they take, as lines of Python."""

from __future__ import annotations

from gradgen.codegen.expressions import size
from gradgen.codegen.layout import shape_text
from gradgen.schedule.flow import Allocate, Grow, If, Length, Stop, Swap, View, While
from gradgen.schedule.program import Loop
from gradgen.schedule.walks import walk

PAD = "    "
KINDS = (While, Stop, If, Length, Allocate, Grow, View, Swap)


def lines(printer, s, pad: str) -> list[str]:
    """The text of one statement of control flow."""
    names, text = printer.names, printer.expressions.text
    if isinstance(s, While):
        return _while(printer, s, pad)
    if isinstance(s, If):
        return _if(printer, s, pad)
    if isinstance(s, Stop):
        return [f"{pad}if not ({text(s.expr)}):", f"{pad}{PAD}break"]
    if isinstance(s, Length):
        return [f"{pad}{s.name} = {text(s.expr)}"]
    if isinstance(s, View):
        return [f"{pad}{names[s.buffer]} = {printer.piece(s.buffer)}"]
    if isinstance(s, Swap):
        return [f"{pad}{names[s.buffer]}, {names[s.other]} = {names[s.other]}, {names[s.buffer]}"]
    if isinstance(s, Allocate):
        shape = s.buffer.shape if s.rows is None else (s.rows, *s.buffer.shape[1:])
        return [f"{pad}{names[s.buffer]} = np.empty({shape_text(shape)}, np.{s.buffer.dtype.name})"]
    assert isinstance(s, Grow)
    return _grow(printer, s, pad)


def loop(printer, s: Loop, pad: str) -> list[str]:
    """A loop whose steps depend on one another: nothing in its body is vectorised but inner loops."""
    var, n = printer.names[s.var], size(s.extent)
    first = size(s.extent - 1)
    header = f"for {var} in range({f'{first}, -1, -1' if s.reverse else n}):"
    found = [f"{pad}{header}{printer.comment(s, len(pad) + len(header))}"]
    if any(isinstance(inner, Loop) and not inner.carried for inner in walk(s.body)):
        printer.needs.add("opaque")
        found.append(f"{pad}{PAD}{var} = opaque({var})")
    return [*found, *_body(printer, s.body, pad)]


def _body(printer, body: list, pad: str) -> list[str]:
    depth, printer.expressions.depth = printer.expressions.depth, 0
    found = printer.body(body, pad + PAD)
    printer.expressions.depth = depth
    return found or [f"{pad}{PAD}pass"]


def _while(printer, s: While, pad: str) -> list[str]:
    first = s.body[0] if s.body else None
    simple = isinstance(first, Stop)
    header = f"while {printer.expressions.text(first.expr)}:" if simple else "while True:"  # type: ignore[union-attr]
    inner = _body(printer, s.body[1:] if simple else s.body, pad)
    if inner == [f"{pad}{PAD}pass"]:
        inner = []
    if s.limit is not None:
        where = s.node.source.short if s.node is not None and s.node.source is not None else "while_loop"
        place = 0 if simple else 1 + next(k for k, line in enumerate(inner) if line.strip() == "break")
        inner[place:place] = [
            f"{pad}{PAD}if {s.var} >= {s.limit}:",
            f'{pad}{PAD * 2}raise RuntimeError("{printer.title}: more than max_steps={s.limit} steps in {where}")',
        ]
    return [
        f"{pad}{s.var} = 0",
        f"{pad}{header}{printer.comment(s, len(pad) + len(header))}",
        *inner,
        f"{pad}{PAD}{s.var} += 1",
    ]


def _if(printer, s: If, pad: str) -> list[str]:
    condition = printer.expressions.text(s.expr)
    then, otherwise = (printer.body(body, pad + PAD) for body in (s.then, s.otherwise))
    if not then and otherwise:
        return [f"{pad}if not ({condition}):", *otherwise]
    found = [f"{pad}if {condition}:", *(then or [f"{pad}{PAD}pass"])]
    return [*found, f"{pad}else:", *otherwise] if otherwise else found


def _grow(printer, s: Grow, pad: str) -> list[str]:
    printer.needs |= {"grown", "emptied"}
    names, inner = [printer.names[b] for b in s.buffers], pad + PAD
    full = f"{s.var} + 1 >= {names[0]}.shape[0]"
    short = " or ".join(f"{name}.shape[0] == 0" for name in names)
    return [
        f"{pad}if {full}:",
        *(f"{inner}{name} = grown({name}, {len(names)})" for name in names),
        f"{inner}if {short}:",
        *(f"{inner}{PAD}{name} = emptied({name})" for name in names),
        f'{inner}{PAD}raise MemoryError("{printer.title}: no memory for the steps of a while_loop")',
    ]
