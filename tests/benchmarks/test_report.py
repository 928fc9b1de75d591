import importlib.util
import json

import pytest

from benchmarks import machine, report
from benchmarks.harness import QUICK, Case, Outcome, Row


@pytest.fixture
def outcome():
    case = Case("double", "2 * x", (), lambda _: None, lambda _: None, per="step")
    rows = [
        Row("gradgen", times=[1e-6, 1.1e-6, 1.2e-6], repeats=100),
        Row("jax", times=[5e-6, 5.5e-6, 6e-6], repeats=20),
        Row("torch", "skipped", "not installed: torch"),
    ]
    return Outcome(case, rows)


def test_the_table_shows_median_spread_and_ratio(outcome):
    lines = report.table(outcome).splitlines()
    assert lines[0] == "double: 2 * x"
    assert lines[1].split()[:6] == ["contender", "us/step", "+-", "iqr", "ratio", "to"]
    assert lines[2].split() == ["gradgen", "1.10", "0.100", "1.00"]
    assert lines[3].split() == ["jax", "5.50", "0.500", "5.00"]
    assert lines[4].split(maxsplit=1) == ["torch", "skipped: not installed: torch"]


def test_a_case_without_a_timed_contender_has_a_table_too(outcome):
    outcome.rows = outcome.rows[2:]
    assert "skipped" in report.table(outcome)


@pytest.mark.parametrize(
    ("value", "text"), [(0.01234, "0.0123"), (1.0, "1.00"), (12.34, "12.3"), (1234.5, "1234"), (0.0, "0")]
)
def test_figures_have_three_digits(value, text):
    assert report.figure(value) == text


def test_the_document_survives_json_and_says_where_it_was_measured(outcome, tmp_path):
    path = tmp_path / "results" / "run.json"
    report.write_json(path, report.document([outcome], QUICK, machine.facts()))
    stored = json.loads(path.read_text())
    assert stored["machine"]["cores"] >= 1
    assert stored["versions"]["numpy"]
    assert stored["settings"]["rounds"] == QUICK.rounds
    (case,) = stored["cases"]
    assert case["baseline"] == "gradgen"
    assert case["rows"][1]["ratio"] == pytest.approx(5.0)
    assert case["rows"][1]["seconds"] == [5e-6, 5.5e-6, 6e-6]
    assert case["rows"][2] == {
        "contender": "torch",
        "status": "skipped",
        "note": "not installed: torch",
        "detail": "",
    }


def test_a_plot_is_written_where_matplotlib_is_installed(outcome, tmp_path):
    path = tmp_path / "plots" / "run.png"
    written = report.write_plot(path, [outcome])
    assert written == (importlib.util.find_spec("matplotlib") is not None)
    assert path.exists() == written


def test_there_is_no_plot_of_nothing(outcome, tmp_path):
    outcome.rows = outcome.rows[2:]
    assert not report.write_plot(tmp_path / "run.png", [outcome])
