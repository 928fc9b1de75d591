"""Times the contenders of one case against each other, in turn, after their results have been seen to agree.

in:  a Case: a problem, a reference result, one row per contender        out: an Outcome: one Row per contender

    build each -> compare its result with the reference -> choose repeats -> rounds: A B C, A B C, A B C, ...

Rounds in turn, because a machine's speed drifts: each round gives one sample of every contender under the same
conditions, and ratios are taken within rounds. A contender that is not installed is skipped, one that raises has
failed, one whose result differs is not timed; the others go on. The command gives each contender a process of its own
(remote.py); here it makes no difference where an Entry lives.
"""

import importlib.util
import statistics
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
    """How long to measure: rounds per case, the least duration of a sample in seconds, small problems or whole ones."""

    rounds: int = 11
    sample_seconds: float = 0.05
    quick: bool = False


QUICK = Settings(rounds=3, sample_seconds=0.002, quick=True)


class Entry(Protocol):
    """What a contender builds: shows its result once, then can be timed any number of times.

    `steps` is what one repeat does, known once `result` has run. `sample` gives seconds for all its repeats together.
    An Entry may also have `facts`, other numbers to print beside the times, known then too: {"peak MB": 12.3}.
    """

    steps: int

    def result(self) -> Any: ...
    def sample(self, repeats: int) -> float: ...
    def close(self) -> None: ...


class ContenderError(Exception):
    """What a contender raised elsewhere: one line for the table, and the traceback."""

    def __init__(self, note: str, detail: str):
        super().__init__(note)
        self.note, self.detail = note, detail


def message_of(error: Exception) -> tuple[str, str]:
    """(a line for the table, the whole traceback)."""
    if isinstance(error, ContenderError):
        return error.note, error.detail
    first_line = str(error).strip().split("\n")[0]
    return f"{type(error).__name__}: {first_line}", "".join(traceback.format_exception(error))


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
            if self.steps == 1:  # untimed: fills the caches; a loop of many steps does that by itself
                self.function(*self.args)
            return self.timer.timeit(repeats)

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
    facts: dict[str, float] = field(default_factory=dict)

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

    def fail(self, error: Exception):
        self.status = "failed"
        self.note, self.detail = message_of(error)


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


def local(case: Case, contender: Contender, quick: bool) -> Entry:
    """The contender's Entry, in this process."""
    return contender.build(case.problem(quick))


def run(case: Case, settings: Settings, wanted: tuple[str, ...] | None = None, entry_of=local) -> Outcome:
    """Measure a case. Each row ends as "timed", "skipped" (not installed), "failed" (raised) or "disagrees".

    wanted: names of contenders, or None for all. entry_of(case, contender, quick) -> Entry says where they live.
    """
    reference = case.reference(case.problem(settings.quick))
    rows, entries = [], {}
    try:
        for contender in case.contenders:
            if wanted is None or contender.name in wanted:
                rows.append(Row(contender.name))
                prepare(rows[-1], case, contender, settings, reference, entries, entry_of)
        for _ in range(min(settings.rounds, case.rounds or settings.rounds)):
            for row in [row for row in rows if row.status == "timed"]:
                try:
                    entry = entries[row.contender]
                    row.times.append(entry.sample(row.repeats) / (row.repeats * entry.steps))
                except Exception as error:
                    row.fail(error)
    finally:
        for entry in entries.values():
            entry.close()
    return Outcome(case, rows)


def prepare(row, case, contender, settings, reference, entries, entry_of):
    """Build one contender, compare its result, choose its repeats; what goes wrong is noted in its row."""
    if missing := contender.missing():
        row.status, row.note = "skipped", f"not installed: {', '.join(missing)}"
        return
    try:
        entries[contender.name] = entry = entry_of(case, contender, settings.quick)
        result = entry.result()
        row.facts = getattr(entry, "facts", {})
        if difference := disagreement(result, reference, case.tolerances):
            row.status, row.note = "disagrees", difference
            return
        row.repeats = enough_repeats(entry, settings.sample_seconds)
    except Exception as error:
        row.fail(error)


def enough_repeats(entry: Entry, seconds: float) -> int:
    """How many repeats make a sample last at least `seconds`, or one where a single step does."""
    repeats = 1
    while True:
        duration = entry.sample(repeats)
        if duration >= seconds or repeats >= LONGEST_GUESS:
            return repeats
        repeats *= min(10, max(2, int(1.2 * seconds / max(duration, 1e-9))))
