"""Times the contenders of one case against each other, in turn, after their results have been seen to agree.

in:  a Case: a problem, a reference result, one row per contender        out: an Outcome: one Row per contender

    build each -> compare its result with the reference -> choose repeats -> rounds: A B C, A B C, A B C, ...

Rounds in turn, because a machine's speed drifts: each round gives one sample of every contender under the same
conditions, and ratios are taken within rounds. A contender that is not installed is skipped, one that raises has failed,
one whose result differs is not timed; the others go on. All contenders of a case share one process, where the threads of
one library's pool still spin for a while after its last call and take cores from the next: hence the pause before each
sample, and the untimed call after it that brings back what the caches have lost.
"""

import importlib.util
import statistics
import time
import timeit
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

from benchmarks.agreement import disagreement

LONGEST_GUESS = 10_000_000  # repeats; an empty call takes 20 ns, so this is never reached by a call that does something


@dataclass(frozen=True)
class Settings:
    """How long to measure: rounds per case; seconds that a sample lasts at least, and that all rest before one.

    quick: small problems instead of whole ones.
    """

    rounds: int = 11
    sample_seconds: float = 0.02
    pause_seconds: float = 0.05  # OpenBLAS threads spin for about 30 ms
    quick: bool = False


QUICK = Settings(rounds=3, sample_seconds=0.002, pause_seconds=0.0, quick=True)


class Entry(Protocol):
    """What a contender builds: something that shows its result once, and can be timed any number of times."""

    def result(self) -> Any: ...
    def sample(self, repeats: int) -> float: ...  # seconds per step
    def close(self) -> None: ...


@dataclass
class Call:
    """The usual Entry: `function(*args)` does `steps` steps. Nothing but that call is timed.

    `checked_args` are the arguments for the compared call, where timing needs a longer run than comparing does.
    `read` turns what the function returns into what the case compares; `context` is entered outside the clock.
    """

    function: Callable[..., Any]
    args: tuple = ()
    steps: int = 1
    checked_args: tuple | None = None
    read: Callable[[Any], Any] = lambda result: result
    context: Callable[[], AbstractContextManager] = nullcontext
    timer: timeit.Timer = field(init=False)

    def __post_init__(self):
        # timeit's own loop holds the call written out: no lambda, no star, no lookup but that of globals.
        names = {f"a{i}": arg for i, arg in enumerate(self.args)}
        self.timer = timeit.Timer(f"function({', '.join(names)})", globals={"function": self.function, **names})

    def result(self):
        with self.context():
            return self.read(self.function(*(self.args if self.checked_args is None else self.checked_args)))

    def sample(self, repeats):
        with self.context():
            if repeats > 1:
                self.function(*self.args)
            return self.timer.timeit(repeats) / (repeats * self.steps)

    def close(self):
        pass


@dataclass(frozen=True)
class Contender:
    """A row of a case: `build(problem) -> Entry`, and the modules that it needs."""

    name: str
    build: Callable[[Any], Entry]
    needs: tuple[str, ...] = ()

    def missing(self) -> tuple[str, ...]:
        return tuple(module for module in self.needs if importlib.util.find_spec(module) is None)


@dataclass(frozen=True)
class Case:
    """What is timed: `problem(quick)` makes the inputs, `reference(problem)` the result that all must agree with.

    `per` names the step ("call", "step", "process"), `unit` is what times are printed in (us, ms or s).
    `tolerances` replaces the tolerance of the dtype for results by name; `rounds` caps the rounds where each is long.
    """

    name: str
    about: str
    contenders: tuple[Contender, ...]
    problem: Callable[[bool], Any]
    reference: Callable[[Any], Any]
    per: str = "call"
    unit: str = "us"
    tolerances: Mapping[str, float] = field(default_factory=dict)
    rounds: int | None = None


@dataclass
class Row:
    """What became of one contender. `times`: seconds per step, one for each round. status: see `run`."""

    contender: str
    status: str = "timed"
    note: str = ""
    times: list[float] = field(default_factory=list)
    repeats: int = 0
    detail: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.times)

    @property
    def spread(self) -> float:
        """The interquartile range, in seconds."""
        if len(self.times) < 2:
            return 0.0
        low, _, high = statistics.quantiles(self.times, n=4, method="inclusive")
        return high - low

    def give_up(self, status: str, error: Exception):
        message = str(error).strip().split("\n")[0]
        self.status, self.note = status, f"{type(error).__name__}: {message}"
        self.detail = "".join(traceback.format_exception(error))


@dataclass
class Outcome:
    """A case's rows. The baseline is the first row of the case that was timed: gradgen's, where it runs."""

    case: Case
    rows: list[Row]

    @property
    def timed(self) -> list[Row]:
        return [row for row in self.rows if row.status == "timed"]

    @property
    def baseline(self) -> Row | None:
        return next(iter(self.timed), None)

    def ratio(self, row: Row) -> float:
        """How many times the baseline's time this row takes: the median over the rounds of the ratio in each."""
        pairs = zip(row.times, self.baseline.times, strict=True)
        return statistics.median(theirs / ours for theirs, ours in pairs)


def run(case: Case, settings: Settings, wanted: tuple[str, ...] | None = None) -> Outcome:
    """Measure a case. Each row ends as "timed", "skipped" (not installed), "failed" (raised) or "disagrees"."""
    problem = case.problem(settings.quick)
    contenders = [c for c in case.contenders if wanted is None or c.name in wanted]
    reference = case.reference(problem) if contenders else None
    rows, entries = [], {}
    try:
        for contender in contenders:
            row = Row(contender.name)
            rows.append(row)
            prepare(contender, row, case, problem, reference, settings, entries)
        for _ in range(min(settings.rounds, case.rounds or settings.rounds)):
            for row in [row for row in rows if row.status == "timed"]:
                time.sleep(settings.pause_seconds)
                try:
                    row.times.append(entries[row.contender].sample(row.repeats))
                except Exception as error:
                    row.give_up("failed", error)
    finally:
        for entry in entries.values():
            entry.close()
    return Outcome(case, rows)


def prepare(contender, row, case, problem, reference, settings, entries):
    """Build one contender, compare its result, choose its repeats; what goes wrong is noted in its row."""
    if missing := contender.missing():
        row.status, row.note = "skipped", f"not installed: {', '.join(missing)}"
        return
    try:
        entries[contender.name] = entry = contender.build(problem)
        if difference := disagreement(entry.result(), reference, case.tolerances):
            row.status, row.note = "disagrees", difference
            return
        row.repeats = enough_repeats(entry, settings.sample_seconds)
    except Exception as error:
        row.give_up("failed", error)


def enough_repeats(entry: Entry, seconds: float) -> int:
    """How many repeats make a sample last at least `seconds`, or one where a single step does."""
    repeats = 1
    while True:
        once = entry.sample(repeats) * getattr(entry, "steps", 1)
        if once * repeats >= seconds or repeats >= LONGEST_GUESS:
            return repeats
        # Never more than ten times at once: the first calls are slow and would promise too much.
        repeats = min(10 * repeats, max(2 * repeats, int(1.2 * seconds / max(once, 1e-9))))
