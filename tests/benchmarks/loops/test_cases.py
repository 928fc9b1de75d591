"""Every contender of every loop, on its small problem, gives the value and gradient of the adjoint by hand.

One LSTM stands for both: they differ in their dtype. What the processes of `compile-...` would run is run here.
"""

import numpy as np
import pytest

from benchmarks.agreement import disagreement
from benchmarks.harness import QUICK, run
from benchmarks.loops import memory
from benchmarks.loops.cases import CASES
from benchmarks.loops.compiling import LOOPS, first
from benchmarks.report import document, table

pytestmark = pytest.mark.numba
HERE = [case for case in CASES if not case.name.startswith("compile-") and case.name != "lstm-float32"]


@pytest.mark.filterwarnings("default")  # other libraries' warnings are theirs
@pytest.mark.parametrize(
    ("case", "contender"),
    [pytest.param(case, c, id=f"{case.name}-{c.name}") for case in HERE for c in case.contenders],
)
def test_a_contender_agrees_with_the_adjoint_by_hand(case, contender):
    if missing := contender.missing():
        pytest.skip(f"not installed: {', '.join(missing)}")
    problem = case.problem(True)
    entry = contender.build(problem)
    assert disagreement(entry.result(), case.reference(problem), case.tolerances) == ""
    assert entry.sample(1) > 0


@pytest.mark.parametrize("case", HERE, ids=lambda case: case.name)
def test_only_the_primal_leaves_out_the_gradient(case):
    problem = case.problem(True)
    (primal,) = [c for c in case.contenders if c.name == "numba-primal"]
    assert primal.build(problem).result().keys() == {"value"}
    assert case.reference(problem).keys() == {"value", "gradient"}


@pytest.mark.parametrize("case", LOOPS, ids=lambda case: case.name)
def test_a_new_process_would_compute_the_value_of_its_case(case):
    reference = case.reference(case.problem(True))
    assert disagreement(np.float64(first(case.name, "numba-adjoint")), reference["value"], {}) == ""


def test_the_peak_of_memory_is_that_of_the_stored_steps():
    case, problem = memory.CASE, memory.Problem(steps=50_000)
    entry = next(c for c in case.contenders if c.name == "numba-adjoint").build(problem)
    entry.result()
    stored = 8 * 2 * memory.SYSTEMS * problem.steps / 1e6
    assert 0.8 * stored < entry.facts["peak MB"] < 1.2 * stored + 5


def test_the_peak_of_memory_is_printed_and_kept():
    outcome = run(memory.CASE, QUICK, ("numba-primal",))
    assert "peak MB" in table(outcome)
    (row,) = document([outcome], QUICK, {})["cases"][0]["rows"]
    assert row["facts"].keys() == {"peak MB"}
