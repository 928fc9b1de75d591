"""The functions that a very long program was cut into (schedule/cut.py), as lines of Python."""

from __future__ import annotations

from collections.abc import Callable

from gradgen.codegen.layout import work_names

PAD = "    "


def parts_of(printer, make: Callable) -> tuple[list[str], list[str]]:
    """(text of the functions, calls of them). `make`: a part -> its own printer. All take what the whole takes."""
    text: list[str] = []
    calls: list[str] = []
    parameters = ", ".join([*printer.names.inputs, *printer.names.outputs.values(), *work_names(printer.program)])
    for part in printer.program.parts:
        own = make(part, (), printer.parallel, printer.names.outputs)
        own.title, own.symbols = printer.title, printer.symbols
        body = own.body(part.body, PAD)
        head = [PAD + line for line in own.prologue(body)]
        text += [f"@njit(**OPTIONS)\ndef {part.name}({parameters}):", *head, *body, "", ""]
        calls.append(f"{PAD}{part.name}({parameters})")
        printer.needs |= own.needs
    return text, calls
