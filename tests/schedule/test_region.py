"""What is overwritten in place and what is copied first, read off the loop program and checked by running it."""

import re

import numpy as np
import pytest

import gradgen as gg
from gradgen.schedule.flow import Swap
from gradgen.schedule.plan import plan
from gradgen.schedule.separate import separate
from gradgen.schedule.text import to_text
from gradgen.schedule.walks import walk
from gradgen.trace.writing import At
from tests import plain_python

X, M = np.arange(1.0, 7.0), np.arange(1.0, 13.0).reshape(3, 4)


def planned(f, *args):
    """The program, whose code must compute what f does on arrays, its arguments left as they were."""
    made = gg.jit(f)
    wanted = f(*args)
    found = plain_python.run(made.kernel(*args), list(args))
    for x, y in zip(found, wanted if isinstance(wanted, tuple) else (wanted,), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-13)
    return plan(separate(made.graph(*args)), None)


def copies(program):
    """Lines that copy an element of one array to another, and do nothing else."""
    return [line for line in to_text(program).split("\n") if re.fullmatch(r" *\w+\[[^\]]*\] = \w+\[[^\]]*\]", line)]


def arrays(program):
    return {name for line in to_text(program).split("\n") for name in re.findall(r"^ *(\w+)\[", line)}


def swaps(program):
    return sum(isinstance(s, Swap) for s in walk(program.body))


def test_an_array_of_its_own_is_written_in_place():
    def f(x, v):
        a = x * 2
        a[1] = v
        a[2:4] = a[1] * 2
        return a

    program = planned(f, X, 2.0)
    assert arrays(program) == {"out0"}
    assert copies(program) == []


def test_an_argument_is_copied_before_it_is_written_to():
    program = planned(lambda x, v: At(x)[1].set(v), X, 2.0)
    assert arrays(program) == {"out0"}
    assert copies(program)


def test_what_is_a_result_itself_is_copied():
    def f(x, v):
        a = x * 2
        return a, At(a)[1].set(v)

    program = planned(f, X, 2.0)
    assert arrays(program) == {"out0", "out1"}
    assert copies(program)


def test_what_is_read_afterwards_is_read_first():
    def f(x, v):
        a = np.sin(x)
        b = At(a)[1].set(v)
        return b, np.sum(a * a)

    program = planned(f, X, 2.0)
    text = to_text(program)
    assert arrays(program) == {"out0"}
    assert text.index(":=") < text.index("out0[1] = v")


def test_old_and_new_that_need_one_another_are_two_arrays():
    def f(x):
        a = np.sin(x)
        b = At(a)[1].set(np.sum(a))
        return np.sum(b) * a[1:], b

    program = planned(f, X)
    assert len(arrays(program)) >= 2


def test_a_carry_whose_elements_are_written_is_one_array():
    def f(x):
        def body(i, a):
            a[i] = np.sin(a[i - 1])
            return a

        return gg.fori_loop(0, 5, body, x)

    program = planned(f, X)
    assert arrays(program) == {"out0"}
    assert swaps(program) == 0
    assert len(copies(program)) == 1


@pytest.mark.parametrize("step", [lambda a: np.sin(a) * 2, lambda a: a - a * a, lambda a: np.where(a > 1, a / 2, -a)])
def test_a_carry_whose_elements_depend_on_themselves_is_one_array(step):
    program = planned(lambda x: gg.fori_loop(0, 5, lambda i, a: step(a), x), X)
    assert arrays(program) == {"out0"}
    assert swaps(program) == 0


@pytest.mark.parametrize(
    "step",
    [lambda a: a[::-1] * 2, lambda a: np.concatenate([a[1:], a[:1]]), lambda a: a + a[0]],
    ids=["reversed", "shifted", "first"],
)
def test_a_carry_whose_elements_depend_on_others_is_not_overwritten_while_it_is_read(step):
    planned(lambda x: gg.fori_loop(0, 5, lambda i, a: step(a), x), X)


def test_a_carry_read_backwards_changes_places_with_another():
    program = planned(lambda x: gg.fori_loop(0, 5, lambda i, a: a[::-1] * 2, x), X)
    assert swaps(program) == 1


def test_carries_that_exchange_their_values():
    planned(lambda x, y: gg.fori_loop(0, 5, lambda i, c: (c[1], c[0]), (x, y)), X, X * 2)
    planned(lambda x, y: gg.fori_loop(0, 5, lambda i, c: (c[1] * 2, np.sin(c[0])), (x, y)), X, X * 2)
    planned(lambda x, y: gg.fori_loop(0, 5, lambda i, c: (c[1], c[1] + c[0], c[0]), (x, y, x)), X, X * 2)


def test_a_block_that_needs_its_neighbours_is_made_before_it_is_written():
    def heat(u):
        return gg.fori_loop(0, 5, lambda i, u: At(u)[1:-1].set(u[1:-1] + 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2])), u)

    program = planned(heat, X)
    assert swaps(program) == 0
    assert len(arrays(program)) == 2


def test_an_array_from_outside_is_copied_once_before_the_loop():
    def f(x, w):
        def body(i, c):
            a, total = c
            a[i] = w[i] * total
            return a, total + a[i]

        return gg.fori_loop(0, 5, body, (w, 1.0)), np.sum(w)

    made = gg.jit(f)
    (a, total), plain = f(X, X)
    for x, y in zip(plain_python.run(made.kernel(X, X), [X, X]), (a, total, plain), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-13)


def test_a_body_that_writes_into_what_it_makes_writes_in_place():
    def f(m):
        def body(c, row):
            a = row * c
            a[0] = np.sum(a)
            return a[0], a

        return gg.scan(body, 1.0, m)

    program = planned(lambda m: f(m), M)
    assert copies(program) == [] or len(copies(program)) <= 1


def test_both_sides_of_a_branch_may_write_into_their_operand():
    def f(x, k):
        a = x * 2
        return gg.cond(k > 0, lambda a: At(a)[0].set(9.0), lambda a: At(a)[1:].add(1.0), a), np.sum(a)

    planned(f, X, 1)
    planned(f, X, -1)


def chained_products(a, b, x):
    def body(i, c):
        u = c[1] + i * x @ x.T
        return u, u + x @ (i * x)

    return gg.fori_loop(0, 3, body, (a, b))


def chained_writes(a, b, x):
    def body(i, c):
        u = At(c[1])[0].add(x[1])
        return u, At(u)[1].add(x[2])

    return gg.fori_loop(0, 3, body, (a, b))


def forked_writes(a, b, x):
    def body(i, c):
        u = At(c[1])[0].add(x[i])
        return At(u)[1].add(x[2] + i), At(u)[2].add(x[1] + i)

    return gg.fori_loop(0, 3, body, (a, b))


@pytest.mark.parametrize("f", [chained_products, chained_writes, forked_writes])
def test_a_result_does_not_lie_in_memory_that_another_was_given(f):
    planned(f, *np.random.default_rng(0).normal(size=(3, 4, 4)))
