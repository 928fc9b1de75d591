"""Small products of matrix and vector are loops, in the order of memory; larger ones and unknown sizes are calls."""

import numpy as np
import pytest

import gradgen as gg
from gradgen.schedule import products
from gradgen.schedule.plan import plan
from gradgen.schedule.program import Call
from gradgen.schedule.separate import separate
from gradgen.schedule.text import to_text
from gradgen.schedule.walks import walk
from tests import plain_python

RNG = np.random.default_rng(0)
W, V, H = RNG.normal(size=(4, 3)), RNG.normal(size=3), RNG.normal(size=4)
SHAPES = {
    "matrix and vector": (lambda w, v: w @ v, W, V), "transposed and vector": (lambda w, v: w.T @ v, W, H),
    "vector and matrix": (lambda w, v: v @ w, W, H), "vector and transposed": (lambda w, v: v @ w.T, W, V),
    "matrix and column": (lambda w, v: w @ v[:, None], W, V), "row and matrix": (lambda w, v: v[None, :] @ w, W, H),
    "one row": (lambda w, v: w[:1] @ v, W, V), "one column": (lambda w, v: w[:, :1].T @ v, W, H),
    "single precision": (lambda w, v: w @ v, W.astype(np.float32), V.astype(np.float32)),
    "no rows": (lambda w, v: w[:0] @ v, W, V), "no terms": (lambda w, v: w[:, :0] @ v[:0], W, V),
}  # fmt: skip
EACH = pytest.mark.parametrize("name", SHAPES)


def program(f, *args, **options):
    return plan(separate(gg.jit(f, **options).graph(*args)), None)


def calls(made):
    return sum(isinstance(s, Call) for s in walk(made.body))


@EACH
def test_loops_compute_the_product(name):
    f, *args = SHAPES[name]
    (found,) = plain_python.run(gg.jit(f).kernel(*args), args)
    assert found.dtype == args[0].dtype
    np.testing.assert_allclose(found, f(*args), rtol=1e-5 if found.dtype == np.float32 else 1e-13)


@EACH
def test_small_products_are_no_calls(name):
    f, *args = SHAPES[name]
    assert calls(program(f, *args)) == 0


@EACH
def test_above_the_limit_they_are_calls_of_the_same_value(name, monkeypatch):
    monkeypatch.setattr(products, "SMALL", -1)
    f, *args = SHAPES[name]
    made = program(f, *args)
    assert calls(made) == 1
    (found,) = plain_python.run(gg.jit(f).kernel(*args), args)
    np.testing.assert_allclose(found, f(*args), rtol=1e-5)


@pytest.mark.parametrize(("f", "args"), [
    (lambda w: w @ w.T, (W,)), (lambda w, v: w @ v, (np.ones((65, 64)), np.ones(64))),
], ids=["two matrices", "large"])  # fmt: skip
def test_others_are_calls(f, args):
    assert calls(program(f, *args)) == 1


def test_the_limit_is_that_of_the_matrix_elements():
    assert calls(program(lambda w, v: w @ v, np.ones((64, 64)), np.ones(64))) == 0


def test_sizes_that_are_unknown_are_calls():
    assert calls(program(lambda w, v: w @ v, W, V, sizes="symbolic")) == 1


def steps(w, h):
    return gg.fori_loop(0, 5, lambda i, h: np.tanh(w.T @ h), h)


def made_inside(w, h):
    return gg.fori_loop(0, 5, lambda i, h: np.tanh((w * h).T @ h), h)


SQUARE, STATE = RNG.normal(size=(3, 3)), RNG.normal(size=3)


def before_the_loop(made):
    text = to_text(made)
    return text[: text.index("for i1 < 5")]


def test_a_transposed_matrix_is_copied_once_before_the_loop_around():
    made = program(steps, SQUARE, STATE)
    assert "= w[" in before_the_loop(made)
    assert to_text(made).count("= w[") == 1
    (found,) = plain_python.run(gg.jit(steps).kernel(SQUARE, STATE), [SQUARE, STATE])
    np.testing.assert_allclose(found, steps(SQUARE, STATE), rtol=1e-12)


def test_one_copy_serves_all_products_of_a_loop():
    def twice(w, h):
        return gg.fori_loop(0, 5, lambda i, h: np.tanh(w.T @ np.sin(w.T @ h)), h)

    assert to_text(program(twice, SQUARE, STATE)).count("= w[") == 1
    (found,) = plain_python.run(gg.jit(twice).kernel(SQUARE, STATE), [SQUARE, STATE])
    np.testing.assert_allclose(found, twice(SQUARE, STATE), rtol=1e-12)


def test_a_matrix_made_in_the_loop_is_summed_across_its_rows():
    (found,) = plain_python.run(gg.jit(made_inside).kernel(SQUARE, STATE), [SQUARE, STATE])
    np.testing.assert_allclose(found, made_inside(SQUARE, STATE), rtol=1e-12)
    assert "= w[" not in before_the_loop(program(made_inside, SQUARE, STATE))


def test_gradients_of_recurrences_are_those_of_the_tape():
    for f in (steps, made_inside, lambda w, h: gg.fori_loop(0, 5, lambda i, h: np.tanh(h @ w), h)):

        def loss(w, h, f=f):
            return np.sum(f(w, h) ** 2)

        found = plain_python.run(gg.grad(loss, argnums=(0, 1)).kernel(SQUARE, STATE), [SQUARE, STATE])
        for x, y in zip(found, gg.tape.grad(loss, argnums=(0, 1))(SQUARE, STATE), strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-13)


@pytest.mark.numba
def test_they_compile():
    np.testing.assert_allclose(gg.jit(steps)(SQUARE, STATE), steps(SQUARE, STATE), rtol=1e-12)
