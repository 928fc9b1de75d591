"""Derivatives where others are silently wrong: ties, kinks, poles behind `where`, powers and products at zero."""

import numpy as np
import pytest

import gradgen as gg
from gradgen import tape

pytestmark = pytest.mark.numba


def assert_slopes(f, x, expected):
    """The gradient at x of the sum of f, compiled, on the tape, and by forward mode."""
    x = np.asarray(x, float)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(gg.grad(lambda x: np.sum(f(x)))(x), expected, rtol=1e-12)
        np.testing.assert_allclose(tape.grad(lambda x: np.sum(f(x)))(x), expected, rtol=1e-12)
    tangent = gg.jvp(lambda x: np.sum(f(x)), (x,), (np.ones_like(x),))[1]
    np.testing.assert_allclose(tangent, np.sum(expected), rtol=1e-12)


def assert_curvatures(f, x, expected):
    """The second derivatives of an elementwise f at x: forward over reverse, reverse over reverse, the tape's."""
    x = np.asarray(x, float)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(gg.hvp(lambda x: np.sum(f(x)))(x, np.ones_like(x)), expected, rtol=1e-12)
        for module in (gg, tape):
            gradient = module.grad(lambda x: np.sum(f(x)))
            np.testing.assert_allclose(
                module.grad(lambda x, gradient=gradient: np.sum(gradient(x)))(x), expected, rtol=1e-12
            )


# -- ties


@pytest.mark.parametrize("f", [np.maximum, np.minimum])
def test_ties_of_two_values_share_the_gradient(f):
    x = np.array([1.0, -2.0, 0.0])
    for module in (gg, tape):
        gx, gy = module.grad(lambda x, y: np.sum(f(x, y)), argnums=(0, 1))(x, x.copy())
        np.testing.assert_array_equal(gx, [0.5, 0.5, 0.5])
        np.testing.assert_array_equal(gy, [0.5, 0.5, 0.5])


@pytest.mark.parametrize("f", [np.max, np.min])
def test_ties_within_a_reduction_share_the_gradient(f):
    assert_slopes(f, [2.0, 2.0, 2.0, 2.0], [0.25, 0.25, 0.25, 0.25])


def test_ties_along_an_axis_share_the_gradient_of_their_group():
    assert_slopes(lambda x: np.max(x, axis=1), [[3.0, 1.0, 3.0], [0.0, 5.0, 4.0]], [[0.5, 0, 0.5], [0, 1, 0]])


# -- kinks and steps


def test_abs_is_flat_at_zero():
    assert_slopes(np.abs, [0.0, -0.0, 2.0, -2.0], [0, 0, 1, -1])


@pytest.mark.parametrize("f", [np.sign, np.floor, np.ceil, np.rint, np.trunc])
def test_steps_have_gradient_zero(f):
    assert_slopes(lambda x: f(x) * 3 + 0 * x, [-1.0, 0.0, 0.3, 2.5], [0, 0, 0, 0])


@pytest.mark.parametrize("relu", [gg.nn.relu, lambda x: np.where(x > 0, x, 0)], ids=["nn", "where"])
def test_relu_has_gradient_zero_at_zero(relu):
    assert_slopes(relu, [-1.0, 0.0, 2.0], [0, 0, 1])


# -- powers


@pytest.mark.parametrize(("n", "first", "second"), [(0, 0, 0), (1, 1, 0), (2, 0, 2), (3, 0, 0)])
@pytest.mark.parametrize("kind", [int, float, np.float64])
def test_integer_powers_at_zero_are_right_to_second_order(n, first, second, kind):
    assert_slopes(lambda x: x ** kind(n), [0.0, 2.0], [first, n * 2.0 ** (n - 1)])
    assert_curvatures(lambda x: x ** kind(n), [0.0, 2.0], [second, n * (n - 1) * 2.0 ** (n - 2)])


def test_a_power_of_zero_has_slope_zero_for_its_exponent():
    for module in (gg, tape):
        slope = module.grad(lambda x, y: np.sum(x**y), argnums=1)(np.zeros(2), np.array([2.0, 0.0]))
        np.testing.assert_array_equal(slope, [0, 0])


def test_exponents_that_are_data_are_right_at_zero():
    for module in (gg, tape):
        slope = module.grad(lambda x, y: np.sum(x**y))(np.zeros(4), np.array([0.0, 1.0, 2.0, 3.0]))
        np.testing.assert_array_equal(slope, [0, 1, 0, 0])


# -- where: the branch not taken counts nothing, whatever its slope

SAFE = {
    "log": (lambda x: np.where(x > 0, np.log(x), 0), lambda x: 1 / x),
    "sqrt": (lambda x: np.where(x > 0, np.sqrt(x), 0), lambda x: 0.5 / np.sqrt(x)),
    "division": (lambda x: np.where(x > 0, 1 / x, 0), lambda x: -1 / x**2),
    "the other branch": (lambda x: np.where(x <= 0, 0, np.log(x)), lambda x: 1 / x),
    "nested": (lambda x: np.where(x > 0, np.where(x < 9, np.log(x), np.sqrt(x)), x * 0), lambda x: 1 / x),
    "chain": (lambda x: np.where(x > 0, np.sqrt(np.log(x + 1)) ** 2, 0), lambda x: 1 / (x + 1)),
    "quotient": (lambda x: np.where(x > 0, np.sin(x) / x, 1), lambda x: np.cos(x) / x - np.sin(x) / x**2),
}
POINTS = np.array([0.0, 0.5, 2.0, 0.0])


@pytest.mark.parametrize("name", SAFE)
def test_what_was_not_taken_contributes_nothing(name):
    f, slope = SAFE[name]
    expected = np.array([0 if x == 0 else slope(x) for x in POINTS])
    assert_slopes(f, POINTS, expected)


@pytest.mark.parametrize("name", SAFE)
def test_what_was_not_taken_contributes_nothing_to_second_order(name):
    f, slope = SAFE[name]
    h = 1e-6
    expected = np.array([0 if x == 0 else (slope(x + h) - slope(x - h)) / (2 * h) for x in POINTS])
    gradient = gg.grad(lambda x: np.sum(f(x)))
    with np.errstate(all="ignore"):
        on_tape = tape.grad(lambda x: np.sum(tape.grad(lambda x: np.sum(f(x)))(x)))(POINTS)
    np.testing.assert_allclose(gg.grad(lambda x: np.sum(gradient(x)))(POINTS), expected, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(gg.hvp(lambda x: np.sum(f(x)))(POINTS, np.ones(4)), expected, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(on_tape, expected, rtol=1e-6, atol=1e-8)


def test_where_is_safe_inside_a_sum_over_an_axis():
    def f(x):
        return np.where(x[:, 0] > 0, np.sum(np.sqrt(x), axis=1), 0)

    assert_slopes(f, [[0.0, 0.0], [1.0, 4.0]], [[0, 0], [0.5, 0.25]])


def test_where_is_safe_through_a_matrix_product():
    w = np.array([[1.0, 2.0], [3.0, 4.0]])

    def f(x):
        h = np.log(x) @ w
        return np.where(x[:, :1] > 0, h, 0)

    assert_slopes(f, [[0.0, 1.0], [1.0, 2.0]], [[0, 0], [3, 3.5]])


def test_where_is_safe_through_broadcasting():
    def f(x):
        return np.where(x > 0, np.ones((3, 1)) * np.log(x), 0)

    assert_slopes(f, [0.0, 3.0], [0, 1])


def test_a_pole_that_is_taken_stays_a_pole():
    gradient = gg.grad(lambda x: np.sum(np.where(x >= 0, np.sqrt(x), 0)))(np.array([0.0, -1.0]))
    np.testing.assert_array_equal(gradient, [np.inf, 0])


def test_where_is_safe_if_a_number_decides():
    assert_slopes(lambda x: np.where(np.sum(x) > 0, np.log(x), x), [0.0, -1.0], [1, 1])


def test_the_second_derivative_is_right_where_the_cotangent_is_zero():
    # d/dx of g * x**2 / 2 where g = x - 1 vanishes at x = 1: the mask must not drop what g's own derivative gives.
    def f(x):
        return np.where(x > 0, (x - 1) ** 2 * x, 0)

    assert_slopes(f, [1.0, -1.0], [0, 0])
    assert_curvatures(f, [1.0, -1.0], [2, 0])


def test_the_second_derivative_of_a_vanishing_residual_is_right():
    def f(x):
        r = np.where(x > 0, x * x, x) - 4
        return r * r

    assert_curvatures(f, [2.0], [32.0])


# -- products with zeros


def prod_hessian(x):
    n = len(x)
    return np.array([[0 if i == j else np.prod(np.delete(x, [i, j])) for j in range(n)] for i in range(n)])


@pytest.mark.parametrize("x", [[2.0, 0.0, 3.0], [0.0, 2.0, 0.0, 3.0], [0.0, 0.0, 0.0], [5.0]], ids=str)
def test_products_with_zeros_are_right_to_second_order(x):
    x = np.array(x)
    assert_slopes(np.prod, x, [np.prod(np.delete(x, i)) for i in range(len(x))])
    np.testing.assert_allclose(gg.hessian(np.prod)(x), prod_hessian(x))
    v = np.arange(1.0, len(x) + 1)
    on_tape = tape.grad(lambda x: np.sum(tape.grad(lambda x: np.prod(x))(x) * v))(x)
    np.testing.assert_allclose(on_tape, prod_hessian(x) @ v)


def test_products_along_an_axis_with_zeros_are_right():
    assert_slopes(lambda x: np.prod(x, axis=0), [[0.0, 2.0, 0.0], [3.0, 4.0, 0.0]], [[3, 4, 0], [0, 2, 0]])
