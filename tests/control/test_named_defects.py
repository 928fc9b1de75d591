"""What other systems are known to get wrong in loops, and what random programs found here: a test by name for each."""

import numpy as np
import pytest

import gradgen as gg
from gradgen.testing import interpret
from tests.control.checks import evaluated, flat

X = np.array([0.3, -0.7, 1.1, 0.4])


def agrees(f, *args, wrt=(0,), tolerance=1e-9):
    """Value and gradient, interpreted and emitted, are the tape's, and the tape's are differences."""
    wanted = flat(gg.tape.value_and_grad(f, argnums=wrt)(*args))
    found = evaluated(gg.value_and_grad(f, argnums=wrt), args)
    for x, y in zip(found, wanted, strict=True):
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance)
    for k, g in zip(wrt, wanted[1:], strict=True):
        for place in np.ndindex(np.shape(args[k])):
            step = np.zeros(np.shape(args[k]))
            step[place] = 1e-6
            up, down = (f(*args[:k], (args[k] + s * step)[()], *args[k + 1 :]) for s in (1, -1))
            np.testing.assert_allclose(np.asarray(g)[place], (up - down) / 2e-6, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("n", [0, 1, 4])
def test_a_value_used_before_in_and_after_a_loop_of_traced_length_has_its_whole_gradient(n):
    """Warp: zero."""

    def f(x, n):
        before = np.sin(x)
        c = gg.fori_loop(0, n, lambda i, c: c * 0.5 + before * x, before)
        return c * before + x

    agrees(f, 0.7, n)


def test_nested_loops_of_traced_lengths_are_not_counted_twice():
    """Taichi: doubled."""

    def f(x, n):
        def outer(i, c):
            return gg.fori_loop(0, i + 1, lambda j, c: c + x * np.sin(c), c)

        return gg.fori_loop(0, n, outer, x * 0.3)

    agrees(f, 0.4, 3)


def test_an_array_that_is_overwritten_has_the_gradient_of_what_it_was():
    def f(a):
        def body(i, a):
            return a.at[i].set(np.sin(a[i]) * a[i])

        return np.sum(gg.fori_loop(0, 4, body, a * 1.0) * a)

    agrees(f, X)


def test_an_array_read_while_it_is_overwritten_is_read_in_the_order_of_the_program():
    def f(a):
        def body(i, a):
            return a.at[i].set(a[i - 1] + 0.5 * a[i] * a[i + 1])

        return np.sum(np.sin(gg.fori_loop(1, 3, body, a)))

    agrees(f, X)


def test_writes_that_overlap_their_reads_by_slices():
    def f(a):
        def body(i, a):
            return a.at[1:].set(a[:-1] * 0.5 + np.tanh(a[1:]))

        return np.sum(gg.fori_loop(0, 3, body, a) ** 2)

    agrees(f, X)


def test_the_old_element_is_carried_beside_the_array_that_loses_it():
    def f(a):
        def body(i, c):
            a, s = c
            return a.at[i].set(s), a[i] * 2

        a, s = gg.fori_loop(0, 4, body, (a, 0.5))
        return np.sum(np.cos(a)) * s

    agrees(f, X)


def test_the_same_array_passed_twice():
    def f(a, b):
        a, b = gg.fori_loop(0, 3, lambda i, c: (c[0].at[i].add(c[1][i + 1]), np.sin(c[0])), (a, b))
        return np.sum(a * b)

    agrees(f, X, X, wrt=(0, 1))


def test_the_same_array_starts_two_carries():
    def f(a):
        a, b = gg.fori_loop(0, 3, lambda i, c: (c[0].at[i].set(0.0), c[1] * 2.0), (a, a))
        return np.sum(a * b)

    agrees(f, X)


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_numbers_that_change_places(steps):
    def f(x, y):
        x, y = gg.fori_loop(0, steps, lambda i, c: (c[1], c[0]), (x, y))
        return np.sin(x) * y * y

    agrees(f, 0.3, 0.8, wrt=(0, 1))


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_a_carry_that_takes_the_old_value_of_another(steps):
    def f(x):
        return gg.fori_loop(0, steps, lambda i, c: (1.3 * c[0], c[0]), (x, 0.5))[1] * x

    agrees(f, 0.7)


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_arrays_that_change_places(steps):
    def f(a, b):
        a, b = gg.fori_loop(0, steps, lambda i, c: (c[1] * 0.5, np.sin(c[0])), (a, b))
        return np.sum(a[::-1] * b)

    agrees(f, X, X * 0.5, wrt=(0, 1))


def test_memory_of_arrays_that_took_turns_is_not_given_away():
    def f(x):
        return np.sum(np.sin(gg.scan(lambda c, r: (c[0] * x, None), x, x)[0] + 1.0))

    np.testing.assert_allclose(evaluated(gg.jacobian(f, mode="forward"), [X])[0], gg.tape.grad(f)(X), rtol=1e-12)


def test_a_carry_that_never_changes_in_a_loop_of_traced_length():
    def f(x, n):
        return gg.fori_loop(1, n, lambda i, c: (1 / (1.2 + c[1]), c[1]), (1.0, 0.4 * x))[0]

    agrees(f, 0.5, 3)


@pytest.mark.parametrize("n", [0, 3])
def test_the_history_of_an_array_in_a_loop_of_traced_length(n):
    def f(x, n):
        return np.sum(gg.fori_loop(0, n, lambda i, c: x / (1.2 + c * c), np.ones(3)))

    agrees(f, 0.5, n)


def test_a_batch_whose_carry_differs_and_whose_row_does_not():
    def f(a, x):
        c, y = gg.scan(lambda c, r: (1.0 * r, r), np.mean(a), x)
        return c + np.sum(y)

    batched = gg.vmap(gg.grad(f, argnums=(0, 1)), in_axes=(0, None))
    found = evaluated(gg.jit(batched), [np.stack([X, 2 * X]), X])
    wanted = [gg.tape.grad(f, argnums=(0, 1))(a, X) for a in (X, 2 * X)]
    for k in range(2):
        np.testing.assert_allclose(found[k], np.stack([w[k] for w in wanted]))


@pytest.mark.numba
def test_the_halves_of_a_while_loops_gradient_hand_over_its_history():
    def f(x):
        return gg.while_loop(lambda c: c[1] < 3, lambda c: (x * np.sin(c[0]), c[1] + 1), (0.5, 0))[0]

    value, pull = gg.vjp(f, 0.3)
    wanted = gg.tape.value_and_grad(f)(0.3)
    np.testing.assert_allclose([value, pull(1.0)[0]], wanted)


def test_a_branch_whose_predicate_is_found_to_be_false_runs_its_other_side():
    def f(x):
        half, _ = gg.fori_loop(0, 3, lambda i, c: (c[0], c[1] * x), (0.5, 1.0))  # 0.5 is a number once it is simplified
        return gg.cond(half > 1, lambda x: x * x, lambda x: x + 1.0, x)

    assert gg.jit(f)(3.0) == interpret(f)(3.0) == f(3.0) == 4.0
