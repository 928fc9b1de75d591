"""Sums with what is written into zeros become writes, where nobody else reads the zeros."""

import numpy as np
import pytest

import gradgen as gg
from gradgen.ir.check import check
from gradgen.ops.evaluation import evaluate
from gradgen.passes.accumulate import accumulate
from gradgen.passes.control import trim
from gradgen.passes.simplify import simplify
from tests.nodes import everywhere, loops, names

X, M, PLACES = np.arange(1.0, 7.0), np.arange(1.0, 13.0).reshape(3, 4), np.array([1, 4, 1])


def rewritten(f, *args):
    """Names of the ops after the pass, which must compute what was computed before."""
    old = simplify(trim(gg.jit(f).kernel(*args).stages["trace"]))
    new = check(accumulate(old))
    for x, y in zip(evaluate(new, args), evaluate(old, args), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-14)
    return names(new)


def gradient(f, *args):
    return rewritten(gg.grad(lambda *xs: np.sum(f(*xs))), *args)


def test_the_cotangent_of_a_slice_is_added_in_place():
    ops = gradient(lambda x: np.exp(x) + np.sum(np.sin(x[1:3])), X)
    assert "put_add" in ops
    assert "embed" not in ops


def test_the_cotangent_of_a_read_at_an_index_is_added_in_place():
    ops = gradient(lambda x, i: np.exp(x) + np.sum(np.sin(x[i])), X, PLACES)
    assert "index_add" in ops
    assert "scatter_add" not in ops


def test_several_writes_follow_one_another():
    ops = gradient(lambda x, i: np.exp(x) + np.sum(np.sin(x[i])) + np.sum(x[1:4] ** 2) + np.cos(x[0]), X, PLACES)
    assert {"put_add", "index_add"} <= set(ops)
    assert ops.count("embed") + ops.count("scatter_add") <= 1  # one of them is what the others are written into


@pytest.mark.parametrize("f", [
    lambda x: np.sum(x[:2] ** 2) + np.sum(np.sin(x[2:])),
    lambda x: np.sum(x[:2] ** 2) + np.sum(np.sin(x[2:5])) + np.exp(x[5]),
], ids=["two", "three"])  # fmt: skip
def test_parts_that_fill_the_whole_are_joined(f):
    ops = gradient(f, X)
    assert "concatenate" in ops
    assert not {"embed", "put_add", "add"} & set(ops)


@pytest.mark.parametrize("f", [
    lambda m: np.sum(m[:, :3] ** 2) + np.sum(np.sin(m[:, 3:])), lambda m: np.sum(m[0] ** 2) + np.sum(np.sin(m[1:])),
], ids=["columns", "rows"])  # fmt: skip
def test_parts_of_a_matrix_that_fill_it_are_joined(f):
    assert "concatenate" in gradient(f, M)


@pytest.mark.parametrize("f", [
    lambda x: np.sum(x[:3] ** 2) + np.sum(np.sin(x[2:])), lambda x: np.sum(x[:2] ** 2) + np.sum(np.sin(x[3:])),
    lambda x: np.sum(x[::2] ** 2) + np.sum(np.sin(x[1::2])), lambda x: np.sum(x[:3] ** 2) + np.sum(np.sin(x[2::-1])),
], ids=["overlap", "gap", "steps", "backwards"])  # fmt: skip
def test_parts_that_do_not_tile_the_whole_are_added(f):
    assert "concatenate" not in gradient(f, X)


def test_what_somebody_else_reads_is_kept():
    def f(x):
        part = gg.grad(lambda x: np.sum(np.sin(x[1:3])))(x)
        return part, part + np.exp(x)

    assert "embed" in rewritten(f, X)


def test_what_is_a_result_itself_is_kept():
    def f(x, i):
        part = gg.grad(lambda x: np.sum(np.sin(x[i])))(x)
        return part, part * 2 + x

    assert "scatter_add" in rewritten(f, X, PLACES)


@pytest.mark.parametrize(
    "f", [lambda a, b: a[:, None] @ b[None, :], lambda a, b: np.outer(a, b)], ids=["matmul", "outer"]
)
def test_a_column_times_a_row_is_a_product_of_elements(f):
    ops = rewritten(f, X, X[:4])
    assert "matmul" not in ops
    assert "multiply" in ops


def test_sums_of_outer_products_have_no_call():
    ops = rewritten(gg.grad(lambda w, x: np.sum(np.tanh(w @ x))), M, X[:4])
    assert ops.count("matmul") == 1


def test_bodies_of_loops_are_rewritten_too():
    def f(x, i):
        return np.sum(gg.fori_loop(0, 4, lambda k, c: np.sin(c) + 0.1 * c[i[k % 3]], x))

    old = simplify(trim(gg.grad(f).kernel(X, PLACES).stages["trace"]))
    new = check(accumulate(old))
    np.testing.assert_allclose(evaluate(new, [X, PLACES])[0], evaluate(old, [X, PLACES])[0], rtol=1e-13)
    assert loops(new)
    assert "embed" not in [n.op.name for n in everywhere(new)]
