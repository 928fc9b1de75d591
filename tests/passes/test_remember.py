"""What a loop keeps for its adjoint: carries where a step is cheap, what it made where it is not."""

import numpy as np
import pytest

import gradgen as gg
from gradgen.ir.check import check
from gradgen.ops import REGISTRY
from gradgen.ops.control import Parts
from gradgen.ops.evaluation import evaluate
from gradgen.passes import remember as module
from gradgen.passes.control import trim
from gradgen.passes.remember import remember, work
from gradgen.passes.simplify import simplify
from tests.nodes import loops, names

X, W = np.array([0.3, -0.8, 0.5]), np.arange(9.0).reshape(3, 3) / 10


def cheap(x, a):
    return np.sum(gg.fori_loop(0, 6, lambda i, c: c * c * a - c, x))


def expensive(x, a):
    return np.sum(gg.fori_loop(0, 6, lambda i, c: np.exp(np.sin(c) * a), x))


def product(x, w):
    return np.sum(gg.fori_loop(0, 6, lambda i, c: np.tanh(w @ c), x) ** 2)


def rows(x, xs):
    return np.sum(gg.scan(lambda c, r: (np.sin(c * r) + np.exp(r), c), x, xs)[0])


def counted(x, n):
    return np.sum(gg.fori_loop(0, n, lambda i, c: np.exp(np.sin(c)), x))


def inner(x, a):
    def outer(c, _):
        return gg.fori_loop(0, 3, lambda j, d: np.exp(np.sin(d) * a), c), None

    return np.sum(gg.scan(outer, x, None, length=4)[0])


PROGRAMS = {
    "cheap": (cheap, (X, 0.7)), "expensive": (expensive, (X, 0.7)), "product": (product, (X, W)),
    "rows": (rows, (X, np.arange(12.0).reshape(4, 3) / 9)), "counted": (counted, (X, 5)), "inner": (inner, (X, 0.7)),
}  # fmt: skip
EACH = pytest.mark.parametrize("name", PROGRAMS)


def before(name, function=gg.grad):
    program, args = PROGRAMS[name]
    return trim(simplify(trim(function(program).kernel(*args).stages["trace"]))), args


def pair(name):
    """(first loop, its adjoint) after the pass."""
    first, back = loops(remember(before(name)[0]))[:2]
    assert Parts(back).reverse
    return Parts(first), Parts(back)


@EACH
def test_the_gradient_is_the_same_without_the_pass(name):
    graph, args = before(name)
    with_it = evaluate(check(remember(graph)), args)
    for x, y in zip(with_it, evaluate(graph, args), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-13)


@EACH
def test_once_is_enough(name):
    once = remember(before(name)[0])
    assert remember(once).key == once.key


def test_of_a_cheap_step_the_carries_alone_are_kept():
    graph, _ = before("cheap")
    assert remember(graph).key == graph.key
    first, back = pair("cheap")
    assert first.stacked == 0
    assert back.rows == 1


def test_of_an_expensive_step_what_it_made_is_kept():
    first, back = pair("expensive")
    assert first.stacked > 0
    assert not {"exp", "sin", "cos"} & set(names(back.body))
    assert names(first.body).count("exp") == 1


def test_of_a_product_the_result_is_kept_and_not_made_again():
    _, back = pair("product")
    assert names(back.body).count("matmul") == 1  # that of the cotangent
    assert "tanh" not in names(back.body)


def test_a_loop_whose_length_is_data_keeps_as_much():
    _, back = pair("counted")
    assert not {"exp", "sin"} & set(names(back.body))
    assert back.count is not None


def test_the_history_of_an_inner_loop_is_kept_and_the_loop_not_run_again():
    first, back = map(Parts, (n for n in remember(before("inner")[0]).nodes if n.op is REGISTRY["loop"]))
    assert [Parts(n).reverse for n in loops(first.body)] == [False]
    assert [Parts(n).reverse for n in loops(back.body)] == [True]


def test_what_a_checkpoint_forgot_is_not_remembered():
    def f(x, a):
        return np.sum(gg.fori_loop(0, 16, lambda i, c: np.exp(np.sin(c) * a), x))

    kept = [Parts(n) for n in loops(gg.grad(gg.checkpoint(f)).graph(X, 0.7)) if n.attrs["forget"]]
    assert kept
    assert all(p.stacked == 0 for p in kept)


def test_storing_at_a_price_that_nobody_pays_keeps_the_carries(monkeypatch):
    monkeypatch.setattr(module, "RELOAD", 1e6)
    first, _ = pair("expensive")
    assert first.stacked == 0


@pytest.mark.parametrize(("function", "least", "most"), [
    (lambda x, w: x + x, 3, 3), (lambda x, w: np.exp(x), 12, 300), (lambda x, w: np.sum(w), 9, 9),
    (lambda x, w: w @ w, 100, 200), (lambda x, w: x[::-1], 0, 0),
])  # fmt: skip
def test_work_is_counted_in_multiplications(function, least, most):
    (out,) = gg.jit(function).stages(X, W)["trace"].outputs
    assert least <= work(out) <= most


def test_work_of_a_loop_is_that_of_its_steps():
    (one, six) = (next(n for n in gg.jit(lambda x, n=n: gg.fori_loop(0, n, lambda i, c: c * x, x)).stages(X)["trace"].nodes
                       if n.op is REGISTRY["loop"]) for n in (1, 6))  # fmt: skip
    assert work(six) == 6 * work(one) > 0
