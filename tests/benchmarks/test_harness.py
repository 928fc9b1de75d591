import pytest

from benchmarks.harness import Call, Case, Contender, ContenderError, Outcome, Row, Settings, enough_repeats, run

FAST = Settings(rounds=4, sample_seconds=0.0, quick=True)


def case_of(*contenders, **options):
    return Case("double", "2 * 3", contenders, lambda _quick: 3.0, lambda x: 2 * x, **options)


def doubles(x):
    return Call(lambda x: 2 * x, (x,))


def statuses(outcome):
    return {row.contender: row.status for row in outcome.rows}


class Recorded:
    """An entry that notes when it is asked."""

    steps = 5

    def __init__(self, name, log):
        self.name, self.log = name, log

    def result(self):
        return 6.0

    def sample(self, repeats):
        self.log.append(self.name)
        return 10.0 * repeats

    def close(self):
        self.log.append(f"{self.name} closed")


def test_contenders_that_agree_are_timed_once_per_round():
    outcome = run(case_of(Contender("a", doubles), Contender("b", doubles)), FAST)
    assert statuses(outcome) == {"a": "timed", "b": "timed"}
    assert [len(row.times) for row in outcome.rows] == [4, 4]


def test_rounds_take_the_contenders_in_turn_and_close_them_in_the_end():
    log = []
    rows = [Contender(name, lambda _x, name=name: Recorded(name, log)) for name in "ab"]
    run(case_of(*rows), Settings(rounds=3, sample_seconds=0.0))
    calibration, rounds, closing = log[:2], log[2:8], log[8:]
    assert calibration == ["a", "b"]
    assert rounds == ["a", "b", "a", "b", "a", "b"]
    assert closing == ["a closed", "b closed"]


def test_times_are_per_step():
    outcome = run(case_of(Contender("a", lambda _x: Recorded("a", []))), FAST)
    assert outcome.rows[0].times == [2.0] * 4


def test_a_case_may_cap_its_rounds():
    outcome = run(case_of(Contender("a", doubles), rounds=2), FAST)
    assert len(outcome.rows[0].times) == 2


def test_a_contender_that_is_not_installed_is_skipped_with_its_reason():
    outcome = run(case_of(Contender("a", doubles), Contender("b", doubles, ("no_such_module",))), FAST)
    assert statuses(outcome) == {"a": "timed", "b": "skipped"}
    assert outcome.rows[1].note == "not installed: no_such_module"


def test_a_contender_that_raises_fails_alone():
    def broken(_x):
        raise ValueError("first line\nsecond line")

    outcome = run(case_of(Contender("a", broken), Contender("b", doubles)), FAST)
    assert statuses(outcome) == {"a": "failed", "b": "timed"}
    assert outcome.rows[0].note == "ValueError: first line"
    assert "Traceback" in outcome.rows[0].detail


def test_a_contender_that_raises_while_timed_fails_and_stops():
    calls = []

    def twice(x):
        calls.append(x)
        if len(calls) > 3:
            raise ContenderError("worn out", "detail")
        return 2 * x

    outcome = run(case_of(Contender("a", lambda x: Call(twice, (x,)))), FAST)
    assert statuses(outcome) == {"a": "failed"}
    assert outcome.rows[0].note == "worn out"
    assert len(calls) == 4


def test_a_contender_with_another_result_is_not_timed():
    outcome = run(case_of(Contender("a", lambda x: Call(lambda x: 3 * x, (x,)))), FAST)
    assert statuses(outcome) == {"a": "disagrees"}
    assert outcome.rows[0].times == []
    assert outcome.baseline is None


def test_only_the_wanted_contenders_run():
    outcome = run(case_of(Contender("a", doubles), Contender("b", doubles)), FAST, ("b",))
    assert statuses(outcome) == {"b": "timed"}


def test_the_checked_call_may_have_arguments_of_its_own():
    seen = []
    call = Call(lambda x: seen.append(x), ("timed",), checked_args=("checked",), read=lambda _: "read")
    assert call.result() == "read"
    call.sample(1)
    assert seen == ["checked", "timed", "timed"]  # one of these two is untimed


def test_ratios_are_taken_within_rounds():
    # The machine is ten times slower in the second round; both contenders see it.
    rows = [Row("a", times=[1.0, 10.0, 1.0]), Row("b", times=[2.0, 20.0, 2.2])]
    assert Outcome(case_of(), rows).ratio(rows[1]) == pytest.approx(2.0)


def test_the_spread_is_the_interquartile_range():
    assert Row("a", times=[1.0, 2.0, 3.0, 4.0, 5.0]).spread == pytest.approx(2.0)
    assert Row("a", times=[1.0]).spread == 0.0


@pytest.mark.parametrize(("call_seconds", "expected"), [(1e-6, 50_000), (1e-3, 50), (1.0, 1)])
def test_repeats_make_a_sample_last_long_enough(call_seconds, expected):
    class Steady:
        def sample(self, repeats):
            return repeats * call_seconds

    repeats = enough_repeats(Steady(), 0.05)
    assert repeats >= expected
    assert repeats <= 2 * expected
