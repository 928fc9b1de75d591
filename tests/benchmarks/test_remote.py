import pytest

from benchmarks.cases import CASES
from benchmarks.harness import Contender, ContenderError, Settings, run
from benchmarks.remote import Remote


def case_named(name):
    return next(case for case in CASES if case.name == name)


def test_an_entry_elsewhere_gives_the_same_result():
    case = case_named("scalar-loop")
    outcome = run(case, Settings(rounds=2, sample_seconds=0.0, quick=True), ("python",), Remote)
    (row,) = outcome.rows
    assert (row.status, row.note) == ("timed", "")
    assert len(row.times) == 2


def test_its_steps_are_known_after_its_result():
    case = case_named("scalar-loop")
    entry = Remote(case, Contender("python", None), quick=True)
    try:
        entry.result()
        assert entry.steps == 10_000
    finally:
        entry.close()
    assert entry.process.returncode == 0


def test_a_process_that_ends_is_a_contender_that_failed():
    entry = Remote(case_named("scalar-loop"), Contender("python", None), quick=True)
    try:
        entry.result()
        entry.process.kill()
        with pytest.raises(ContenderError, match="ended with status -9"):
            entry.sample(1)
    finally:
        entry.close()
