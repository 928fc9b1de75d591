"""The binomial schedule: the gradients of plain reverse mode, and no step made more often than Griewank's bound."""

import math
from collections import Counter

import numpy as np
import pytest

import gradgen as gg
from gradgen.ops import REGISTRY
from gradgen.testing import interpret
from tests import plain_python

LENGTHS = [*range(1, 24), 28, 29, 35, 36, 40]


@pytest.fixture
def arctans():
    """How often arctan was evaluated, by its argument: its derivative does not need it, so that is once a step."""
    op, found = REGISTRY["arctan"], Counter()
    old = op.eval

    def counted(x):
        found[float(x)] += 1
        return old(x)

    object.__setattr__(op, "eval", counted)
    yield found
    object.__setattr__(op, "eval", old)


def steps(x, n):
    return gg.fori_loop(0, n, lambda i, c: 2.5 * np.arctan(c) + 0.01 * i, x)


def reversed_with(snapshots):
    """(x, n) -> the gradient of n steps that keep so many carries; n is data, so one graph serves all."""
    return interpret(gg.grad(gg.checkpoint(lambda x, n: steps(x, n) ** 2, snapshots=snapshots)))


def by_hand(x, n):
    """(gradient, the carry before every step)."""
    carries = [x]
    for i in range(n):
        carries.append(2.5 * np.arctan(carries[-1]) + 0.01 * i)
    slope = np.prod([2.5 / (1 + c * c) for c in carries[:-1]])
    return 2 * carries[-1] * slope, carries[:-1]


def least_repeats(length, room):
    """The least t for which C(room + t, room) steps are no fewer than `length`."""
    t = 0
    while math.comb(room + t, room) < length:
        t += 1
    return t


@pytest.mark.parametrize("snapshots", range(1, 7))
def test_no_step_is_made_more_often_than_griewanks_bound(snapshots, arctans):
    run = reversed_with(snapshots)
    for n in LENGTHS:
        gradient, carries = by_hand(0.3, n)
        arctans.clear()
        np.testing.assert_allclose(run(0.3, n), gradient, rtol=1e-12)
        assert len(set(carries)) == n
        assert set(arctans) <= set(carries)
        most = max(arctans.values()) - 1  # the loop itself makes each once
        assert most <= least_repeats(n, snapshots), (n, arctans)


@pytest.mark.parametrize("snapshots", range(1, 7))
def test_all_steps_together_are_within_the_bound_of_the_optimal_schedule(snapshots, arctans):
    run = reversed_with(snapshots)
    for n in (1, 2, 5, 13, 28, 40):
        arctans.clear()
        run(0.3, n)
        t = least_repeats(n, snapshots)
        optimal = t * n - math.comb(snapshots + t, t - 1) if t else 0
        assert sum(arctans.values()) - n >= optimal, "fewer steps than is possible: the count is wrong"
        assert sum(arctans.values()) - n <= t * n


def test_with_room_for_all_carries_no_step_is_made_again_but_to_fill_it(arctans):
    reversed_with(40)(0.3, 40)
    assert max(arctans.values()) == 2


@pytest.mark.parametrize("n", [0, 1, 2, 7])
@pytest.mark.parametrize("snapshots", [1, 3])
def test_lengths_that_are_known_are_reversed_alike_in_the_code(n, snapshots):
    function = gg.grad(gg.checkpoint(lambda x: steps(x, n) ** 2, snapshots=snapshots))
    (found,) = plain_python.run(function.kernel(0.3), [0.3])
    np.testing.assert_allclose(found, by_hand(0.3, n)[0], rtol=1e-12)


def test_no_steps_leave_the_gradient_alone():
    np.testing.assert_allclose(reversed_with(2)(0.3, 0), 0.6)
    np.testing.assert_allclose(reversed_with(2)(0.3, -5), 0.6)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("snapshots", [1, 2, 4])
def test_rows_results_and_values_from_outside_have_their_gradients(snapshots, reverse):
    rng = np.random.default_rng(0)
    w, h, xs = rng.normal(size=(2, 2)), rng.normal(size=2), rng.normal(size=(7, 2))

    def loss(w, h, xs):
        def body(h, x):
            h = np.tanh(w @ h + x)
            return h, h * x

        h, ys = gg.scan(body, h, xs, reverse=reverse)
        return np.sum(h) + np.sum(ys**2)

    wanted = gg.tape.grad(loss, argnums=(0, 1, 2))(w, h, xs)
    function = gg.grad(gg.checkpoint(loss, snapshots=snapshots), argnums=(0, 1, 2))
    coded = plain_python.run(function.kernel(w, h, xs), [w, h, xs])
    for x, y, z in zip(interpret(function)(w, h, xs), coded, wanted, strict=True):
        np.testing.assert_allclose(x, z, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(y, z, rtol=1e-10, atol=1e-12)


def test_a_tuple_of_carries_of_other_dtypes_is_kept_whole():
    def loss(x):
        def body(i, c):
            a, k, flag = c
            return np.where(flag, np.sin(a) * k, a), (k + 1) % 3, ~flag

        return np.sum(gg.fori_loop(0, 9, body, (x, np.int64(1), np.bool_(True)))[0])

    x = np.array([0.4, 0.9])
    found = interpret(gg.grad(gg.checkpoint(loss, snapshots=2)))(x)
    np.testing.assert_allclose(found, gg.tape.grad(loss)(x), rtol=1e-12)
