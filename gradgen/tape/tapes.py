"""Tapes: what one transformation records, which tapes are open, and how recording is paused."""

from __future__ import annotations

import itertools
import threading

from gradgen.tape.gates import Gate
from gradgen.trace.active import Frozen


class _Open(threading.local):
    def __init__(self):
        self.tapes: list[Tape] = []


_open = _Open()
_levels = itertools.count()


class Tape:
    """The gates of one computation, in order. Open (`with`) while a function runs; a later tape has a higher level."""

    __slots__ = ("gates", "level", "recording")

    def __init__(self):
        self.gates: list[Gate] = []
        self.level, self.recording = next(_levels), True

    def __enter__(self):
        _open.tapes.append(self)
        return self

    def __exit__(self, *error):
        _open.tapes.pop()

    def add(self, gate: Gate) -> Gate:
        gate.index = len(self.gates)
        self.gates.append(gate)
        return gate


class no_grad(Frozen):  # noqa: N801  a verb, as in `with no_grad():`
    """What is computed inside is constant for every transformation around it, traced or on a tape.

    `with no_grad():`, or `@no_grad()` on a function. A transformation that is called inside works as always.
    """

    def __enter__(self) -> None:
        super().__enter__()
        self.paused = [tape for tape in _open.tapes if tape.recording]
        for tape in self.paused:
            tape.recording = False

    def __exit__(self, *error) -> None:
        for tape in self.paused:
            tape.recording = True
        super().__exit__(*error)
