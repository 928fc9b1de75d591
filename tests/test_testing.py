"""The checks of gradgen.testing find what they should, and nothing else."""

import numpy as np
import pytest

import gradgen as gg
from gradgen.errors import ArgumentError
from gradgen.testing import check_grads, evaluate

pytestmark = pytest.mark.numba


def test_trees_and_arrays_of_results_pass():
    params = {"w": np.linspace(-1, 1, 6).reshape(2, 3), "b": np.array([0.1, 0.2])}
    check_grads(lambda p, y: {"h": np.tanh(p["w"].T @ p["b"]) * y, "s": np.sum(p["w"] ** 3)}, params, 0.7)


def test_float32_has_tolerances_of_its_own():
    check_grads(lambda x: np.exp(x) * x, np.array([0.1, 0.5], np.float32))


def test_a_wrong_first_derivative_is_named_by_its_mode():
    with pytest.raises(AssertionError, match="\nforward mode:"):
        check_grads(lambda x: np.sin(x) + gg.stop_gradient(x), 0.5)
    with pytest.raises(AssertionError, match="\nreverse mode:"):
        check_grads(lambda x: np.sin(x) + gg.stop_gradient(x), 0.5, modes=("reverse",))


def test_a_wrong_second_derivative_is_named_by_its_modes():
    def f(x):  # right in its slope, which is 2 * x, and wrong in what the slope says of itself
        return x * x + (x - gg.stop_gradient(x)) * 0 + (x - gg.stop_gradient(x)) ** 2

    with pytest.raises(AssertionError, match="reverse mode over reverse mode"):
        check_grads(f, 0.5, modes=("reverse",))
    check_grads(f, 0.5, order=1)


def test_integers_stay_as_they_are():
    check_grads(lambda x, index: x[index] ** 2, np.array([0.5, 1.5, -0.5]), np.array([2, 0, 2]))


def test_unknown_modes_are_refused():
    with pytest.raises(ArgumentError, match="modes"):
        check_grads(np.sin, 0.5, modes=("sideways",))


@pytest.mark.parametrize("sizes", ["static", "symbolic"])
def test_a_graph_is_evaluated_without_a_compiler(sizes):
    f = gg.grad(lambda x: np.mean(np.exp(x[::-1]) * x), sizes=sizes)
    x = np.array([0.5, -1.0, 2.0])
    np.testing.assert_allclose(evaluate(f.graph(x), [x]), [f(x)], rtol=1e-12, atol=1e-15)
