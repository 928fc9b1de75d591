"""Every contender of the small cases gives the result that its case expects; the large networks differ only in size."""

import subprocess
import sys

import numpy as np
import pytest

from benchmarks.agreement import disagreement
from benchmarks.cases import CASES
from benchmarks.harness import Contender
from benchmarks.mlp import by_hand
from benchmarks.mlp.problem import Problem, network
from benchmarks.startup.process import Process

SMALL = ("scalar-call", "scalar-loop", "mlp-2-16-2-call", "mlp-2-16-2-loop", "mlp-64-64-10-call", "mlp-64-64-10-loop")
COMPILED = ("gradgen", "gradgen-grad", "gradgen-njit", "numba")


def pairs():
    for case in CASES:
        if case.name in SMALL:
            for contender in case.contenders:
                marks = [pytest.mark.numba] if contender.name in COMPILED else []
                yield pytest.param(case, contender, id=f"{case.name}-{contender.name}", marks=marks)


@pytest.mark.filterwarnings("default")  # other libraries' warnings are theirs
@pytest.mark.parametrize(("case", "contender"), list(pairs()))
def test_a_contender_agrees_with_the_reference(case, contender):
    if missing := contender.missing():
        pytest.skip(f"not installed: {', '.join(missing)}")
    problem = case.problem(True)
    entry = contender.build(problem)
    try:
        assert disagreement(entry.result(), case.reference(problem), case.tolerances) == ""
    finally:
        entry.close()


def test_names_are_unique():
    assert len({case.name for case in CASES}) == len(CASES)
    for case in CASES:
        names = [contender.name for contender in case.contenders]
        assert len(set(names)) == len(names)


def test_gradgen_is_the_first_contender_of_every_case():
    assert all(case.contenders[0].name == "gradgen" for case in CASES)


@pytest.mark.parametrize("loss", ["mse", "softmax"])
def test_the_derivative_by_hand_agrees_with_finite_differences(loss):
    problem = Problem((3, 5, 4, 2), 6, loss, batches=1, epochs=1)
    params = [p.astype(np.float64) for p in problem.params]
    x, y = problem.first_batch
    _, updated = by_hand.step(params, x.astype(np.float64), y, loss)
    rng = np.random.default_rng(0)
    along = [rng.standard_normal(p.shape) for p in params]

    def value(t):
        return by_hand.step([p + t * v for p, v in zip(params, along, strict=True)], x.astype(np.float64), y, loss)[0]

    expected = (value(1e-5) - value(-1e-5)) / 2e-5
    gradient = [(p - q) / by_hand.RATE for p, q in zip(params, updated, strict=True)]
    assert sum((g * v).sum() for g, v in zip(gradient, along, strict=True)) == pytest.approx(expected, rel=1e-7)


def test_the_hand_written_network_is_the_one_that_the_others_trace():
    problem = Problem((3, 5, 2), 6, "mse", batches=1, epochs=1)
    params = [p.astype(np.float64) for p in problem.params]
    x, y = problem.first_batch
    a = 1 / (1 + np.exp(-network(np, params, x)))
    value, _ = by_hand.step(params, x, y, "mse")
    assert value == pytest.approx(((a - y) ** 2).sum() / (2 * len(x)))


def test_an_epoch_takes_every_row_once_and_learns():
    problem = Problem((2, 16, 2), 32, "mse", batches=20, epochs=1)
    assert sorted(problem.order.ravel()) == list(range(32 * 20))
    assert by_hand.reference_epoch(problem)["whole loss"] < 0.8 * by_hand.whole_loss(problem, problem.params)


def test_imports_are_lazy():
    """Listing cases must not load what they compare with; nor Numba, which the import times would then share."""
    code = "import sys, benchmarks.cases; print([m for m in ('jax', 'torch', 'autograd', 'numba') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("caches", ["cold", "warm"])
def test_only_warm_processes_share_a_cache(caches):
    code = """
import json, os, pathlib
folder = pathlib.Path(os.environ["GRADGEN_CACHE_DIR"])
print(json.dumps(dict(seconds=float(folder.exists()), value=1)))
folder.mkdir(parents=True, exist_ok=True)
"""
    entry = Process(code, caches)
    try:
        assert entry.result() == 1
        assert entry.sample(1) == (1.0 if caches == "warm" else 0.0)
    finally:
        entry.close()


def test_a_process_that_fails_says_why():
    entry = Process("raise ValueError('broken')")
    try:
        with pytest.raises(RuntimeError, match="ValueError: broken"):
            entry.result()
    finally:
        entry.close()


def test_first_results_are_those_of_their_cases():
    first = next(case for case in CASES if case.name == "first-mlp-64-64-10-cold")
    numpy = next(contender for contender in first.contenders if contender.name == "numpy")
    assert isinstance(numpy, Contender)
    entry = numpy.build(None)
    try:
        problem = first.problem(True)
        assert disagreement(entry.result(), first.reference(problem), first.tolerances) == ""
    finally:
        entry.close()
