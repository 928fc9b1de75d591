"""Values that record: dtypes as NumPy has them, levels, and clear errors."""

import math

import numpy as np
import pytest

from gradgen import errors, tape

f32 = np.float32


@pytest.mark.parametrize(
    "f",
    [
        lambda x, a: np.sum(a * x), lambda x, a: np.sum(x + a), lambda x, a: np.sum(np.multiply(a, x)),
        lambda x, a: np.sum(np.where(a > 0, x, a)), lambda x, a: np.sum(2 * a * x), lambda x, a: np.sum(x / a - a**x),
        lambda x, a: np.sum(np.maximum(x, a)), lambda x, a: np.sum(a**3 * 0.5 / 3),
        lambda x, a: np.sum(np.log2(a) + np.maximum(a, 0) + np.where(a > 1, a, 0)),
    ],
)  # fmt: skip
def test_float32_stays_float32_among_python_floats(f):
    value, (gx, ga) = tape.value_and_grad(f, argnums=(0, 1))(1.5, np.array([1, 2, 3], f32))
    assert value.dtype == f(1.5, np.array([1, 2, 3], f32)).dtype == np.float32
    assert gx.dtype == np.float64
    assert ga.dtype == np.float32
    exact = tape.grad(f, argnums=(0, 1))(1.5, np.array([1.0, 2, 3]))
    np.testing.assert_allclose(gx, exact[0], rtol=1e-6)
    np.testing.assert_allclose(ga, exact[1], rtol=1e-6)


def test_arithmetic_of_python_floats_stays_weak_and_that_of_functions_does_not():
    a = np.ones(2, f32)
    assert tape.value_and_grad(lambda x: np.sum((x * x + 1) ** 2 * a))(2.0)[0].dtype == np.float32
    assert tape.value_and_grad(lambda x: np.sum(np.sin(x) * a))(2.0)[0].dtype == np.float64


def test_mixed_precision_gives_each_argument_its_own_dtype():
    a, b = tape.grad(lambda a, b: np.sum(a * b), argnums=(0, 1))(np.ones(2, f32), np.full((3, 2), 2.0))
    assert (a.dtype, b.dtype) == (np.float32, np.float64)
    np.testing.assert_array_equal(a, [6, 6])


def test_integer_and_bool_arrays_are_constants():
    n, mask = np.arange(3), np.array([True, False, True])
    g = tape.grad(lambda x: np.sum(x * n + n / x + mask * x + x**n))(np.ones(3))
    np.testing.assert_array_equal(g, [0 + 0 + 1 + 0, 1 - 1 + 0 + 1, 2 - 2 + 1 + 2])


def test_division_by_a_python_zero_is_numpys():
    with np.errstate(divide="ignore"):
        assert tape.value_and_grad(lambda x: x / 0.0)(1.0) == (np.inf, np.inf)
        assert tape.value_and_grad(lambda x: 1 / x)(0.0) == (np.inf, -np.inf)


def test_derivatives_of_derivatives():
    f = np.exp
    x = 0.3
    for _ in range(5):
        f = tape.grad(lambda x, f=f: f(2 * x))
    np.testing.assert_allclose(f(x), 2.0 ** (5 * 6 / 2) * np.exp(32 * x), rtol=1e-12)


def test_perturbations_are_not_confused():
    # d/dx [x * d/dy (x + y)] = 1; a tape that confuses the two says 2
    assert tape.grad(lambda x: x * tape.grad(lambda y: x + y)(1.0))(1.0) == 1
    assert tape.grad(lambda x: x * tape.grad(lambda y: x * y)(2.0))(3.0) == 6
    assert tape.grad(lambda x: tape.grad(lambda y: tape.grad(lambda z: x * y * z)(1.0) * y)(2.0))(5.0) == 4


def test_an_inner_function_may_ignore_its_argument():
    assert tape.grad(lambda x: x * tape.grad(lambda y: x * x)(1.0))(3.0) == 0
    assert tape.grad(lambda x: tape.value_and_grad(lambda y: x * x)(1.0)[0])(3.0) == 6


def test_hessian_vector_product():
    rng = np.random.default_rng(0)
    a, x, v = rng.normal(size=(4, 4)), rng.normal(size=4), rng.normal(size=4)
    product = tape.grad(lambda x: np.dot(tape.grad(lambda x: x @ a @ x)(x), v))(x)
    np.testing.assert_allclose(product, (a + a.T) @ v, rtol=1e-12)


def test_gradients_inside_a_pullback_are_differentiable():
    def f(x):
        y, pullback = tape.vjp(lambda x: x**3, x)
        return np.sum(y * pullback(2 * x)[0])  # x^3 * 6x^3

    np.testing.assert_allclose(tape.grad(f)(np.array([1.0, 2.0])), [36.0, 36.0 * 32], rtol=1e-12)


def test_python_branches_and_loops_work():
    def f(x):
        n = int(np.argmax(x))
        while x[n] < 10:
            x = x * 2 if x[0] > 0 else x * 3
        return x[n] if np.any(x > 5) and x[n] else 0.0

    np.testing.assert_array_equal(tape.grad(f)(np.array([1.0, 3.0])), [0, 4])


def test_a_box_prints_as_its_value():
    seen = []
    tape.grad(lambda x: (seen.append(f"{x:.2f} {x!r}"), x)[1])(0.5)
    assert seen == ["0.50 Box(np.float64(0.5))"]


@pytest.mark.parametrize(
    ("f", "error", "text"),
    [
        (lambda x: math.sin(x[0]), errors.TraceError, "np.sin for math.sin"),
        (lambda x: float(x[0]), errors.TraceError, "float"),
        (lambda x: np.linalg.svd(x), errors.UnsupportedError, "np.svd is not traced"),
        (lambda x: np.frexp(x)[0], errors.UnsupportedError, "np.frexp is not traced"),
        (lambda x: np.sum(x, where=[True, False]), errors.UnsupportedError, "where"),
        (lambda x: np.asarray(x), errors.TraceError, "np.asarray"),
        (lambda x: x.__setitem__(0, 1.0), errors.MutationError, "assignment"),
        (lambda x: x + "a", TypeError, "unsupported operand"),
        (lambda x: x * np.array([1j, 2]), errors.DTypeError, "complex128"),
        (lambda x: x + np.array([1, 2], object), errors.DTypeError, "object"),
        (lambda x: x @ np.ones(3), errors.ShapeError, "inner sizes differ"),
        (lambda x: x[5], IndexError, "index 5"),
    ],
)  # fmt: skip
def test_errors_name_the_problem_and_the_users_line(f, error, text):
    with pytest.raises(error, match=text) as caught:
        tape.grad(lambda x: np.sum(f(x)))(np.array([1.0, 2.0]))
    if isinstance(caught.value, errors.GradgenError):
        assert "test_box.py" in str(caught.value)


def test_results_without_a_derivative_keep_their_axes():
    def f(x):
        return np.sum(x * np.any(x, keepdims=True) + np.sum(x, axis=0, keepdims=True, dtype=np.int64))

    np.testing.assert_array_equal(tape.grad(f)(np.array([1.0, 2.0])), [1, 1])
