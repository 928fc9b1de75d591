"""The way back: accumulation, long chains, and branches that were not taken."""

import numpy as np
import pytest

from gradgen import tape

grad = tape.grad


@pytest.fixture(autouse=True)
def _quiet():
    with np.errstate(all="ignore"):  # the forward values of branches that are not taken are inf and nan
        yield


def test_contributions_add_up_before_they_are_passed_on():
    def f(a):
        b = a * a
        c = b + b
        return c * b + a

    assert grad(f)(2.0) == 4 * 8 * 2 + 1


def test_a_long_chain_needs_no_recursion():
    def f(x):
        for _ in range(5000):
            x = np.where(x > 0, x * 1.0001, 1 / x)
        return x

    np.testing.assert_allclose(grad(f)(1.0), 1.0001**5000, rtol=1e-9)


X = np.array([[0.0, 1.0], [2.0, 0.0]])
SAFE = {
    "log": (lambda x: np.where(x > 0, np.log(x), 0), lambda x: 1 / x, lambda x: -1 / x**2),
    "divide": (lambda x: np.where(x > 0, 1 / x, 0), lambda x: -1 / x**2, lambda x: 2 / x**3),
    "sqrt": (lambda x: np.where(x > 0, np.sqrt(x), x), lambda x: 0.5 / np.sqrt(x), lambda x: -0.25 * x**-1.5),
    "power": (lambda x: np.where(x != 0, x**1.5, 0), lambda x: 1.5 * np.sqrt(x), lambda x: 0.75 / np.sqrt(x)),
    "twice": (lambda x: np.where(x > 0, np.log(np.sqrt(x)), 0), lambda x: 0.5 / x, lambda x: -0.5 / x**2),
}


@pytest.mark.parametrize("name", SAFE)
def test_a_branch_that_was_not_taken_contributes_zero_at_both_orders(name):
    f, first, second = SAFE[name]
    outside = 1.0 if name == "sqrt" else 0.0
    np.testing.assert_allclose(grad(lambda x: np.sum(f(x)))(X), np.where(X > 0, first(X), outside))
    along = grad(lambda x: np.sum(grad(lambda x: np.sum(f(x)))(x)))(X)
    np.testing.assert_allclose(along, np.where(X > 0, second(X), 0))


def test_a_mask_is_no_test_for_zero():
    # At 0 the gradient of sin(x) is 0 in the branch that was taken; a mask made of it would lose the second derivative.
    def f(x):
        return np.where(x > -1, np.square(np.sin(x)), 0.0)

    assert grad(grad(f))(0.0) == 2


def test_masks_pass_broadcasts_sums_views_and_products():
    def rows(x, w):
        r = 1 / x  # row 0 is inf and is not taken
        h = np.stack([r, 2 * r], axis=1)[::-1][::-1].T
        return np.sum(np.where(np.isfinite(r)[:, None], h.T @ w, 0))

    x, w = np.array([0.0, 2.0]), np.array([[1.0, 2.0], [3.0, 4.0]])
    gx, gw = grad(rows, argnums=(0, 1))(x, w)
    np.testing.assert_allclose(gx, [0, -(3 + 14) / 4])
    np.testing.assert_allclose(gw, [[0.5, 0.5], [1, 1]])

    def norm(x):
        return np.sum(grad(rows)(x, w))

    np.testing.assert_allclose(grad(norm)(x), [0, 2 * 17 / 8])

    def columns(x):  # x is broadcast: it counts where any of its copies does
        return np.sum(np.where(np.array([[True, False], [False, False]]), np.log(x[:, None]) * np.ones(2), 0))

    np.testing.assert_allclose(grad(columns)(np.array([2.0, 0.0])), [0.5, 0])


def test_masks_pass_reductions():
    def f(x):
        rows = np.where(np.array([True, False]), np.sum(np.sqrt(x), axis=1), 0)
        return np.sum(rows) + np.max(np.where(x > 0, np.log(x), -9))

    np.testing.assert_allclose(grad(f)(np.array([[4.0, 1.0], [0.0, 0.0]])), [[0.25 + 0.25, 0.5], [0, 0]])

    def product(x):
        return np.where(x[0] > 0, 0.0, np.prod(np.sqrt(x[1:])))

    np.testing.assert_allclose(grad(product)(np.array([1.0, 0.0, 0.0])), 0)


def test_pullbacks_of_traced_cotangents_are_safe_too():
    _, pullback = tape.vjp(lambda x: np.where(x > 0, np.log(x), 0), np.array([0.0, 2.0]))
    value, g = tape.value_and_grad(lambda v: np.sum(pullback(v)[0] * v))(np.ones(2))
    assert value == 0.5
    np.testing.assert_array_equal(g, [0, 1])


def test_what_counts_in_one_use_counts():
    def f(x):
        y = np.sqrt(x)
        return np.sum(np.where(x > 1, y, 0)) + np.sum(np.where(x < 1, 0, y))

    np.testing.assert_allclose(grad(f)(np.array([0.0, 4.0])), [0, 0.5])
    assert grad(lambda x: np.where(x > 1, np.sqrt(x), 0) + np.sqrt(x))(0.0) == np.inf


def test_a_gradient_that_is_infinite_stays_so():
    assert grad(lambda x: np.where(x >= 0, np.sqrt(x), 0))(0.0) == np.inf
    assert np.isnan(grad(lambda x: np.where(x < 0, 0.0, x * x))(np.nan))


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (lambda x: np.sum(np.maximum(x, 0)), [-1.0, 0, 1], [0, 0.5, 1]),
        (lambda x: np.sum(np.where(x > 0, x, 0)), [-1.0, 0, 1], [0, 0, 1]),
        (lambda x: np.max(x), [1.0, 2, 2], [0, 0.5, 0.5]),
        (lambda x: np.min(x), [1.0, 1, 2], [0.5, 0.5, 0]),
        (lambda x: np.sum(np.abs(x)), [-1.0, 0, 1], [-1, 0, 1]),
        (lambda x: np.sum(np.sign(x) + np.floor(x) + np.rint(x)), [-1.5, 0, 1], [0, 0, 0]),
        (lambda x: np.sum(x**0 + x**1 + x**2 + x**3), [0.0, 1, -2], [1, 6, 9]),
        (lambda x: np.sum(np.power(x, [0, 1, 2])), [0.0, 0, 0], [0, 1, 0]),
        (lambda x: np.prod(x), [0.0, 2, 3], [6, 0, 0]),
        (lambda x: np.sum(np.clip(x, 0, 1)), [-1.0, 0.5, 2], [0, 1, 0]),
    ],
)
def test_kinks_and_edges_are_as_documented(f, x, expected):
    np.testing.assert_array_equal(grad(f)(np.array(x)), expected)
