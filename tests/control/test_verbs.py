"""scan, fori_loop, while_loop and cond as documented: lengths, structures, types, bounds; compiled and in plain Python."""

from dataclasses import dataclass

import numpy as np
import pytest

import gradgen as gg
from gradgen.errors import UnsupportedError
from gradgen.testing import interpret
from gradgen.trace.pytree import flatten

X = np.array([0.3, -0.7, 1.1])
RUNS = [pytest.param(interpret, id="interpreted"), pytest.param(gg.jit, id="compiled", marks=pytest.mark.numba)]


def same(found, wanted):
    found, wanted = flatten(found), flatten(wanted)
    assert found[1] == wanted[1]
    for x, y in zip(found[0], wanted[0], strict=True):
        assert np.shape(x) == np.shape(y)
        np.testing.assert_allclose(x, y, rtol=1e-12)


def twice_and_sum(c, x):
    return c + x, c * x


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("reverse", [False, True])
def test_scan_stacks_results_at_the_place_of_their_x_in_either_direction(run, reverse):
    def f(x):
        return gg.scan(twice_and_sum, 0.5, x, reverse=reverse)

    order = range(3)[:: -1 if reverse else 1]
    c, ys = 0.5, np.zeros(3)
    for k in order:
        ys[k], c = c * X[k], c + X[k]
    same(run(f)(X), (c, ys))
    same(f(X), (c, ys))


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize(("lo", "hi"), [(0, 3), (2, 5), (-2, 1), (3, 3), (4, 1), (0, -2)])
def test_fori_loop_takes_the_steps_of_range_with_traced_bounds_or_not(run, lo, hi):
    wanted = sum(2.0**k for k in range(lo, hi)) + 0.25
    body = lambda i, c: c + 2.0**i
    same(run(lambda x: gg.fori_loop(lo, hi, body, x))(0.25), wanted)
    same(run(lambda lo, hi, x: gg.fori_loop(lo, hi, body, x))(lo, hi, 0.25), wanted)


@pytest.mark.parametrize("run", RUNS)
def test_loops_without_a_step_return_where_they_began(run):
    def f(x, n):
        none = gg.scan(lambda c, _: (np.sin(c), None), x, length=0)[0]
        never = gg.while_loop(lambda c: c < -9, np.sin, x)
        return none, never, gg.fori_loop(0, n, lambda i, c: np.sin(c), x)

    same(run(f)(0.3, 0), (0.3, 0.3, 0.3))
    same(run(gg.grad(lambda x, n: sum(f(x, n))))(0.3, 0), 3.0)


@pytest.mark.parametrize("run", RUNS)
def test_a_scan_over_nothing_stacks_nothing(run):
    last, ys = run(lambda x: gg.scan(twice_and_sum, 0.5, x))(np.zeros(0))
    assert last == 0.5
    assert ys.shape == (0,)


@pytest.mark.parametrize("run", RUNS)
def test_a_scan_of_traced_length_stacks_as_many(run):
    def f(x, n):
        ys = gg.scan(lambda c, _: (c * 0.5, np.stack([c, -c])), x, length=n)[1]
        return np.sum(ys * ys, axis=0)

    for n in (0, 1, 5):
        np.testing.assert_allclose(run(f)(1.0, n), [sum(0.25**k for k in range(n))] * 2)


def test_a_result_whose_size_only_the_run_tells_is_refused():
    with pytest.raises(UnsupportedError, match="steps"):
        interpret(lambda x, n: gg.scan(lambda c, _: (c, c), x, length=n))(1.0, 5)


@dataclass
class State:
    x: float
    v: np.ndarray


@pytest.mark.parametrize("run", RUNS)
def test_carries_are_dicts_dataclasses_and_anything_nested(run):
    def f(x, v):
        def body(i, c):
            s = c["state"]
            return {"state": State(s.x + 0.1, s.v * s.x), "rest": (c["rest"][0], None)}

        out = gg.fori_loop(0, 3, body, {"state": State(x, v), "rest": (1.0, None)})
        assert out["rest"][1] is None
        return out["state"].v, out["state"].x

    same(run(f)(0.5, X), f(0.5, X))


@pytest.mark.parametrize("run", RUNS)
def test_python_numbers_at_the_start_take_the_type_of_the_body(run):
    short = run(lambda x: gg.fori_loop(0, 3, lambda i, c: c * x + 1, 0))(np.float32(0.5))
    assert np.asarray(short).dtype == np.float32
    assert np.asarray(run(lambda x: gg.fori_loop(0, 3, lambda i, c: c + 1, 0))(1.0)).dtype == np.int64
    both = run(lambda x: gg.cond(x > 0, lambda: x, lambda: 0))(np.float32(0.5))
    assert np.asarray(both).dtype == np.float32


@pytest.mark.numba
def test_loops_of_float32_stay_float32():
    def f(w, x):
        h, ys = gg.scan(lambda h, r: (np.tanh(w @ h + r), np.sum(h) * 0.5), np.zeros(3, np.float32), x)
        return np.sum(h) + np.sum(ys)

    w, x = np.full((3, 3), 0.1, np.float32), np.ones((4, 3), np.float32)
    value, grads = gg.value_and_grad(f, argnums=(0, 1))(w, x)
    assert {np.asarray(g).dtype for g in (value, *grads)} == {np.dtype(np.float32)}
    _, wanted = gg.tape.value_and_grad(f, argnums=(0, 1))(w.astype(float), x.astype(float))
    for g, wide in zip(grads, wanted, strict=True):
        np.testing.assert_allclose(g, wide, rtol=1e-4)


@pytest.mark.parametrize("run", RUNS)
def test_integer_and_bool_carries_beside_what_is_differentiated(run):
    def f(x):
        def body(c):
            y, k, odd = c
            return np.where(odd, y * x, np.sin(y)), k + 1, ~odd

        return gg.while_loop(lambda c: c[1] < 5, body, (x, 0, np.bool_(True)))[0]

    same(run(gg.grad(f))(0.7), gg.tape.grad(f)(0.7))


@pytest.mark.numba
def test_the_stack_of_a_while_loop_grows_with_its_steps():
    def f(x, n):
        return gg.while_loop(lambda c: c[1] < n, lambda c: (c[0] + 0.001 * np.sin(c[0]) * x, c[1] + 1), (1.0, 0))[0]

    g = gg.value_and_grad(f)
    for n in (0, 1, 63, 64, 65, 5000):
        same(g(0.3, n), gg.tape.value_and_grad(f)(0.3, n))


@pytest.mark.numba
def test_more_than_max_steps_is_an_error_with_the_line_and_no_lasting_harm():
    f = gg.jit(lambda x: gg.while_loop(lambda c: c < 100.0, lambda c: c * x, 1.0, max_steps=10))
    with pytest.raises(RuntimeError, match=r"max_steps=10.*test_verbs\.py"):
        f(1.0)
    np.testing.assert_allclose(f(3.0), 243.0)
    with pytest.raises(RuntimeError, match="max_steps=10"):
        gg.grad(lambda x: gg.while_loop(lambda c: c < 100.0, lambda c: c * x, 1.0, max_steps=10))(1.0)
    with pytest.raises(RuntimeError, match="max_steps=10"):
        gg.while_loop(lambda c: True, lambda c: c, 1.0, max_steps=10)


def test_exactly_max_steps_are_allowed():
    run = gg.while_loop
    assert run(lambda c: c < 8, lambda c: c * 2, 1, max_steps=3) == 8


@pytest.mark.parametrize("run", RUNS)
def test_only_the_branch_that_is_taken_has_a_gradient(run):
    def f(x):
        return gg.cond(x > 0, lambda x: np.sqrt(x), lambda x: x * x, x)

    for x in (4.0, -2.0, 0.0):
        same(run(gg.grad(f))(x), gg.tape.grad(f)(x))


@pytest.mark.parametrize("run", RUNS)
def test_bodies_may_call_transformed_functions(run):
    g = gg.grad(lambda v, a: np.sin(v * a))

    def f(x):
        return gg.fori_loop(0, 3, lambda i, c: c - 0.1 * g(c, x), 1.0)

    def plain(x):
        c = 1.0
        for _ in range(3):
            c -= 0.1 * x * np.cos(c * x)
        return c

    same(run(f)(0.8), plain(0.8))
    slope = (plain(0.8 + 1e-6) - plain(0.8 - 1e-6)) / 2e-6
    np.testing.assert_allclose(run(gg.grad(f))(0.8), slope, rtol=1e-8)


def test_rows_that_a_body_returns_are_kept_as_they_were_in_plain_python():
    def body(a, i):
        a[0] += 1.0
        return a, a

    _, ys = gg.scan(body, np.zeros(2), np.arange(3))
    np.testing.assert_allclose(ys[:, 0], [1.0, 2.0, 3.0])


def test_what_a_loop_returns_in_plain_python_can_be_written_to_by_an_outer_body():
    def outer(i, a):
        return gg.fori_loop(0, 2, lambda j, a: a * 0.5, a).at[i].add(1.0)

    wanted = np.ones(3)
    for i in range(3):
        wanted = wanted * 0.25
        wanted[i] += 1
    np.testing.assert_allclose(gg.fori_loop(0, 3, outer, np.ones(3)), wanted)
    np.testing.assert_allclose(interpret(lambda a: gg.fori_loop(0, 3, outer, a))(np.ones(3)), wanted)
