"""Epochs of steps, in pieces short enough for Ctrl-C and the progress bar, with a way back from a loss that is nan.

in:  the memory that steps change, the compiled pass over whole batches, and the one over a last smaller batch
out: the memory trained; where a loss was not finite, as it was at the last step whose loss was

A step writes over the parameters, so when its loss turns out nan they are gone. But training is deterministic: the
memory is saved now and then, and the way back is to run again what was run since, up to the last good step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from gradgen.train.memory import Memory
from gradgen.train.passes import Pass

PIECE = 0.2  # seconds of work between two looks at the world, and between two copies of the memory


@dataclass
class Piece:
    """Batches first..last-1 of a pass."""

    run: Pass
    order: np.ndarray
    first: int
    last: int

    def until(self, last: int) -> Piece:
        return Piece(self.run, self.order, self.first, last)


@dataclass
class Stretch:
    """The memory as it was, and the pieces that were run since, for so many seconds."""

    saved: np.ndarray
    pieces: list[Piece]
    seconds: float = 0.0


@dataclass
class Stop:
    """Where a loss was not finite: the step in its epoch, the batch in its pass (both from 0), the batch's rows."""

    step: int
    batch: int
    rows: np.ndarray


class Training:
    """`sums` and `seconds` are those of the epoch that is under way or was the last."""

    def __init__(self, memory: Memory, whole: Pass, rest: Pass | None, rows: int):
        """`rest`: for the rows beyond whole batches; None leaves them out."""
        self.memory, self.whole, self.rest = memory, whole, rest
        self.batches = rows // whole.batch
        self.rows = self.batches * whole.batch + (rest.batch if rest else 0)
        self.sums, self.seconds = np.zeros(2), 0.0
        self.pace = float("inf")  # seconds per step of the last piece
        self.latest: Stretch | None = None
        self.before: Stretch | None = None

    @property
    def started(self) -> bool:
        return self.latest is not None

    def epoch(self, order: np.ndarray, report: Callable[[int], None]) -> Stop | None:
        """All rows once, in this order; `report` is told how many are done. A Stop where a loss is not finite."""
        self.sums, self.seconds, steps, done = np.zeros(2), 0.0, 0, 0
        for run, rows, batches in self._runs(order):
            first = 0
            while first < batches:
                last = min(batches, first + max(1, int(PIECE / self.pace)))
                stop = self._piece(run, rows, first, last)
                if stop < last:
                    return Stop(steps + stop, stop, rows[run.batch * stop : run.batch * (stop + 1)])
                done += run.batch * (last - first)
                first = last
                report(done)
            steps += batches
        return None

    def _runs(self, order: np.ndarray) -> Iterator[tuple[Pass, np.ndarray, int]]:
        yield self.whole, order, self.batches
        if self.rest is not None:
            yield self.rest, order[self.rows - self.rest.batch :], 1

    def _piece(self, run: Pass, order: np.ndarray, first: int, last: int) -> int:
        piece = Piece(run, order, first, last)
        if self.latest is None or self.latest.seconds > PIECE:
            saved = self.memory.save(self.before.saved if self.before else None)
            self.before, self.latest = self.latest, Stretch(saved, [piece])
        else:
            self.latest.pieces.append(piece)
        start = time.perf_counter()
        stop = run(order, first, last, self.sums)
        elapsed = time.perf_counter() - start
        self.seconds += elapsed
        self.latest.seconds += elapsed
        self.pace = elapsed / (last - first)
        return stop

    def rescue(self) -> None:
        """Restore the youngest parameters at hand that are finite, where the last ones are not though each loss was."""
        self.back(None)
        for stretch in (self.latest, self.before):
            if stretch is not None and not self.memory.is_finite():
                self.memory.restore(stretch.saved)

    def back(self, stop: Stop | None) -> None:
        """Restore the parameters of the last step before `stop`, whose loss was finite.

        Without such a step, those that training began with. None: the losses were finite to the end.
        """
        stretch = self.latest
        assert stretch is not None
        *pieces, piece = stretch.pieces
        if stop is not None:
            piece = piece.until(stop.batch)
        if not pieces and piece.first == piece.last and self.before is not None:
            stretch = self.before
            *pieces, piece = stretch.pieces
        elif pieces and piece.first == piece.last:
            *pieces, piece = pieces
        self.memory.restore(stretch.saved)
        for again in (*pieces, piece.until(piece.last - 1)):
            if again.first < again.last:
                again.run(again.order, again.first, again.last, np.zeros(2))
