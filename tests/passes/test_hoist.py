"""Products of matrices leave loops, where no step waits for them; what is computed stays the same."""

import numpy as np
import pytest

import gradgen as gg
from gradgen.ir.check import check
from gradgen.ops.control import Parts
from gradgen.ops.evaluation import evaluate
from gradgen.passes.control import trim
from gradgen.passes.hoist import hoist
from gradgen.passes.simplify import simplify
from gradgen.testing import interpret
from tests import plain_python
from tests.nodes import everywhere, loops, names

RNG = np.random.default_rng(0)
W, U, B, H, XS = (RNG.normal(size=s) / 2 for s in ((8, 8), (8, 6), (8,), (8,), (20, 6)))
ARGS = W, U, B, H, XS


def rnn(w, u, b, h, xs):
    return np.sum(gg.scan(lambda h, x: (np.tanh(w @ h + u @ x + b), None), h, xs)[0] ** 2)


def batched(w, u, b, h, xs):
    """Five sequences at a time: rows of a matrix."""
    h, xs = np.ones((5, 1)) * h, xs[:, None, :] * np.arange(1.0, 6.0)[:, None]
    return np.sum(gg.scan(lambda h, x: (np.tanh(h @ w.T + x @ u.T + b), None), h, xs)[0] ** 2)


def columns(w, u, b, h, xs):
    return np.sum(gg.scan(lambda h, x: (np.tanh(h @ w + x @ u.T), h), h, xs, reverse=True)[1] ** 2)


NETS = {f.__name__: f for f in (rnn, batched, columns)}
EACH = pytest.mark.parametrize("name", NETS)


def products(graph):
    return sum(name in ("matmul", "matmul_add") for name in names(graph))


def inside(graph):
    """The products in the bodies of a graph's loops, loop by loop."""
    return [products(n.attrs["body"]) for n in loops(graph)]


@EACH
def test_products_of_rows_are_made_before_the_loop(name):
    graph = gg.jit(NETS[name]).graph(*ARGS)
    assert inside(graph) == [1]
    assert products(graph) == 1


@pytest.mark.parametrize("name", ["rnn", "columns"])
def test_gradients_of_weights_are_summed_behind_the_loop(name):
    graph = gg.grad(NETS[name], argnums=(0, 1)).graph(*ARGS)
    assert inside(graph) == [1, 1]  # W @ h, and the cotangent of h
    assert products(graph) <= 4  # U @ x and W @ h of all steps; the gradients of W and of U


@EACH
def test_the_adjoint_of_rows_is_one_product_too(name):
    graph = gg.grad(NETS[name], argnums=4).graph(*ARGS)
    assert sum(inside(graph)) <= 3


@EACH
@pytest.mark.parametrize("verb", ["value", "gradient"])
def test_the_pass_changes_no_value(name, verb):
    made = gg.jit(NETS[name]) if verb == "value" else gg.grad(NETS[name], argnums=(0, 1, 2, 3, 4))
    graph = trim(simplify(trim(made.kernel(*ARGS).stages["trace"])))
    for x, y in zip(evaluate(check(hoist(graph)), ARGS), evaluate(graph, ARGS), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-11, atol=1e-13)


@EACH
def test_the_emitted_gradient_is_that_of_the_tape(name):
    made = gg.grad(lambda *xs: NETS[name](*xs[:2], B, *xs[2:]), argnums=(0, 1, 2, 3))
    given = W, U, H, XS[:4]
    wanted = gg.tape.grad(lambda *xs: NETS[name](*xs[:2], B, *xs[2:]), argnums=(0, 1, 2, 3))(*given)
    for x, y in zip(interpret(made)(*given), wanted, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("size", [1, 3])
def test_small_products_stay(size):
    u = np.ones((size, 1))
    graph = gg.jit(lambda h, xs: gg.scan(lambda h, x: (h + u @ x, None), h, xs)[0]).graph(
        np.ones(size), np.ones((4, 1))
    )
    assert products(graph) == 0


def test_products_with_a_carry_stay():
    graph = gg.jit(lambda w, h: gg.fori_loop(0, 5, lambda i, h: w @ h, h)).graph(W, H)
    assert (inside(graph), products(graph)) == ([1], 0)


def test_products_of_a_loop_whose_length_is_data_stay():
    graph = gg.jit(lambda u, x, n: gg.fori_loop(0, n, lambda i, h: h + u @ x[i], np.zeros(8))).graph(U, XS, 3)
    assert products(graph) == 0


def test_a_sum_whose_running_values_are_stacked_stays():
    def f(a, b):
        def body(g, ab):
            return g + ab[0].T @ ab[1], g

        return gg.scan(body, np.zeros((4, 4)), (a, b))

    a, b = RNG.normal(size=(2, 6, 5, 4))
    for x, y in zip(interpret(f)(a, b), f(a, b), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12)


def test_a_sum_of_products_of_rows_needs_no_loop():
    def f(a, b):
        return gg.scan(lambda g, ab: (g + ab[0].T @ ab[1], None), np.ones((4, 4)), (a, b))[0]

    a, b = RNG.normal(size=(2, 6, 5, 4))
    graph = gg.jit(f).graph(a, b)
    assert sum(inside(graph)) == 0
    assert products(graph) == 1
    np.testing.assert_allclose(interpret(f)(a, b), f(a, b), rtol=1e-12)
    np.testing.assert_allclose(plain_python.run(gg.jit(f).kernel(a, b), [a, b])[0], f(a, b), rtol=1e-12)


def test_loops_inside_of_loops_lose_their_products():
    def epochs(u, h, xs):
        def epoch(i, h):
            return gg.scan(lambda h, x: (np.tanh(h + u @ x), None), h, xs)[0]

        return gg.fori_loop(0, 3, epoch, h)

    graph = gg.jit(epochs).graph(U, H, XS)
    innermost = [n for n in loops(graph) if not loops(Parts(n).body)]
    assert [products(n.attrs["body"]) for n in innermost] == [0]
    assert sum(n.op.name in ("matmul", "matmul_add") for n in everywhere(graph)) == 1
    np.testing.assert_allclose(interpret(epochs)(U, H, XS), epochs(U, H, XS), rtol=1e-12)
