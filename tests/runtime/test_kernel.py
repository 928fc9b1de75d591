"""A kernel's functions agree with one another, allocate where they say, and are a file that runs without gradgen."""

import subprocess
import sys

import numba
import numpy as np
import pytest

import gradgen as gg

pytestmark = pytest.mark.numba


def loss(w, x, y):
    h = np.tanh(x @ w)
    return np.mean(np.sum((h - y) ** 2, axis=1))


W, X, Y = np.linspace(-1, 1, 12).reshape(4, 3), np.sin(np.arange(20.0)).reshape(5, 4), np.ones((5, 3))
value_and_grad = gg.value_and_grad(loss)


@pytest.fixture(scope="module")
def kernel():
    return value_and_grad.kernel(W, X, Y)


def test_njit_gives_the_leaves_of_the_results(kernel):
    value, gradient = kernel.njit(W, X, Y)
    wanted = value_and_grad(W, X, Y)
    assert value == pytest.approx(wanted[0])
    np.testing.assert_allclose(gradient, wanted[1])


def test_forward_and_backward_are_the_two_halves(kernel):
    value, *residuals = kernel.forward(W, X, Y)
    assert value == pytest.approx(loss(W, X, Y))
    gradient = kernel.njit(W, X, Y)[1]
    np.testing.assert_allclose(kernel.backward(W, X, Y, *residuals, 1.0), gradient)
    np.testing.assert_allclose(kernel.backward(W, X, Y, *residuals, -2.0), -2 * gradient)


def test_into_writes_where_it_is_told(kernel):
    out, work = np.full_like(W, np.nan), kernel.workspace(W, X, Y)
    for _ in range(2):  # a used workspace is as good as a new one
        value = kernel.into(W, X, Y, out, *work)
        assert value == pytest.approx(loss(W, X, Y))
        np.testing.assert_allclose(out, kernel.njit(W, X, Y)[1])


def test_a_function_without_derivative_has_no_backward_pass():
    plain = gg.jit(loss).kernel(W, X, Y)
    assert plain.forward(W, X, Y) == plain.njit(W, X, Y)
    with pytest.raises(AttributeError, match="no backward pass"):
        _ = plain.backward


def test_the_workspace_of_symbolic_sizes_depends_on_the_inputs():
    kernel = gg.value_and_grad(loss, sizes="symbolic").kernel(W, X, Y)
    for n in (5, 9, 2):
        x, y = np.ones((n, 4)), np.zeros((n, 3))
        out = np.empty_like(W)
        value = kernel.into(W, x, y, out, *kernel.workspace(W, x, y))
        assert value == pytest.approx(loss(W, x, y))
    with pytest.raises(TypeError, match="pass the inputs"):
        kernel.workspace()


def test_the_source_is_the_file(kernel):
    assert kernel.path.read_text().endswith(kernel.source)
    assert kernel.source == value_and_grad.source(W, X, Y)
    assert "loss_value_and_grad" in kernel.source and "test_kernel.py" in kernel.source


def test_shapes_are_checked_at_the_door(kernel):
    with pytest.raises(ValueError, match=r"x must be f64\[5, 4\]"):
        kernel.njit(W, np.ones((6, 4)), Y)


def test_the_cost_counts_the_whole_and_its_halves(kernel):
    cost = kernel.cost
    assert cost == value_and_grad.cost(W, X, Y)
    assert 2 * (2 * 5 * 4 * 3) < cost.flops < 4 * (2 * 5 * 4 * 3)  # two products, and less than as much around them
    assert cost.forward_flops > 2 * 5 * 4 * 3 and cost.backward_flops > 2 * 5 * 4 * 3
    assert cost.bytes_moved == 8 * (2 * W.size + X.size + Y.size + 1)
    assert cost.bytes_stored > 0 and cost.peak_workspace > 0


def test_stages_can_be_printed(kernel):
    stages = value_and_grad.stages(W, X, Y)
    assert list(stages)[:2] == ["trace", "simplify"] and "source" in stages and "loops" in stages
    assert "matmul" in str(stages["trace"])


@pytest.mark.parametrize("table", [np.arange(3.0), np.arange(300.0)], ids=["small constants", "large constants"])
def test_a_saved_module_runs_without_gradgen(tmp_path, table):
    def f(w, x):
        return np.sum(np.exp(w) ** 2.5 * x) + np.sum(np.tanh(table) * w[0])

    compiled = gg.value_and_grad(f)
    w, x = np.linspace(-1, 1, 7), np.ones(7)
    path = compiled.kernel(w, x).save(tmp_path / "alone.py")
    check = (
        "import sys; sys.modules['gradgen'] = None\n"
        "import numpy as np, alone\n"
        "value, gradient = alone.f_value_and_grad(np.linspace(-1, 1, 7), np.ones(7))\n"
        "assert not any(m.startswith('gradgen.') for m in sys.modules)\n"
        "print(repr(float(value)), repr(float(np.sum(gradient))))"
    )
    done = subprocess.run([sys.executable, "-c", check], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert path == tmp_path / "alone.py"
    value, gradient = compiled(w, x)
    np.testing.assert_allclose(list(map(float, done.stdout.split())), [value, np.sum(gradient)], rtol=1e-12)


slope = gg.grad(lambda x: np.sqrt(x * x + np.exp(x * x)))
gradient_of_an_array = gg.grad(lambda x: np.sum(np.exp(x) * x))


@numba.njit
def descend(x, steps):
    for _ in range(steps):
        x = x - 0.1 * slope(x)
    return x


@numba.njit
def descend_arrays(x, steps):
    for _ in range(steps):
        x = x - 0.1 * gradient_of_an_array(x)
    return x


def test_decorated_functions_are_called_from_nopython_code_as_they_are():
    x = 0.5
    for _ in range(10):
        x = x - 0.1 * slope(x)
    assert descend(0.5, 10) == pytest.approx(x)
    for n in (3, 5):
        start = np.linspace(-1, 1, n)
        wanted = start
        for _ in range(3):
            wanted = wanted - 0.1 * (np.exp(wanted) * (1 + wanted))
        np.testing.assert_allclose(descend_arrays(start, 3), wanted, rtol=1e-10)
