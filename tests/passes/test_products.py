"""Sums with matrix products: BLAS adds them where the sum is stored, in place where the other summand dies."""

import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

import gradgen as gg
from gradgen.api import settings as options
from gradgen.compiled import CompiledFunction
from gradgen.ir.check import check
from gradgen.ops.evaluation import evaluate
from gradgen.passes.accumulate import accumulate
from gradgen.passes.control import trim
from gradgen.passes.products import add_products
from gradgen.passes.simplify import simplify
from tests import plain_python
from tests.nodes import everywhere, names

RNG = np.random.default_rng(0)
W, V, X, D = (RNG.normal(size=shape) for shape in ((5, 4), (5, 4), (7, 5), (7, 4)))


def rewritten(f, *args):
    """The graph after the pass, which must compute what was computed before."""
    old = accumulate(simplify(trim(gg.jit(f).kernel(*args).stages["trace"])))
    new = check(add_products(old))
    for x, y in zip(evaluate(new, args), evaluate(old, args), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-13)
    return new


@pytest.mark.parametrize("f", [
    lambda w, v, x, d: w + x.T @ d, lambda w, v, x, d: x.T @ d + w, lambda w, v, x, d: w - 0.1 * (x.T @ d),
    lambda w, v, x, d: 0.1 * (x.T @ d) - w, lambda w, v, x, d: w - (d.T @ x).T, lambda w, v, x, d: w - (x.T @ d) / 7,
    lambda w, v, x, d: w - 0.1 * (0.9 * v + x.T @ d + 0.01 * w), lambda w, v, x, d: 1 - -(x.T @ d),
], ids=["sum", "swapped", "step", "minus", "transposed", "quotient", "momentum", "number"])  # fmt: skip
def test_a_sum_that_is_a_result_begins_as_the_other_summand(f):
    ops = names(rewritten(f, W, V, X, D))
    assert "matmul_add" in ops
    assert "matmul" not in ops


def test_a_factor_that_only_the_run_tells_stays_one():
    ops = names(rewritten(lambda w, x, d, rate: w - rate * (x.T @ d), W, X, D, 0.1))
    assert ops == ["matmul_add", "negative"]


def test_all_products_of_a_sum_are_added():
    ops = names(rewritten(lambda w, v, x, d: w - 0.1 * (x.T @ d + v @ d.T @ d), W, V, X, D))
    assert ops.count("matmul_add") == 2
    assert ops.count("matmul") == 1  # v @ d.T


def test_a_sum_of_products_takes_the_memory_of_one_of_them():
    new = rewritten(lambda w, x, y: np.tanh(x @ w + y @ w + 1.0), W, X, X[::-1])
    assert names(new).count("matmul") == names(new).count("matmul_add") == 1


def test_products_that_are_all_scaled_are_summed():
    assert "matmul_add" in names(rewritten(lambda w, x, d: 2.0 * (x @ w) - 3.0 * (d @ w.T @ w), W, X, D))


@pytest.mark.parametrize("f", [
    lambda w, v, x, d: np.tanh(x @ w + 1), lambda w, v, x, d: np.sum(w + x.T @ d),
    lambda w, v, x, d: (w + x.T @ d, x.T @ d), lambda w, v, x, d: w[:, :1] + x.T @ d[:, :1],
    lambda w, v, x, d: w + v * (x.T @ d), lambda w, v, x, d: (lambda p: p - p)(w + x.T @ d), lambda w, v, x, d: (lambda p: w + p * np.sum(p * p))(x.T @ d),
], ids=["layer", "reduced", "used", "vector", "elements", "twice", "factor"])  # fmt: skip
def test_other_sums_stay(f):
    assert "matmul_add" not in names(rewritten(f, W, V, X, D))


def test_numbers_that_multiply_to_none_stay_apart():
    assert "matmul_add" not in names(rewritten(lambda w, x, d: w + 1e-200 * (w + 1e-200 * (x.T @ d)), W, X, D))


def test_bodies_of_loops_are_rewritten_too():
    def f(w, x, d):
        return gg.fori_loop(0, 3, lambda i, w: w + x.T @ (d * i), w)

    assert "matmul_add" in [n.op.name for n in everywhere(rewritten(f, W, X, D))]


# In place


def updated(f, args, count):
    """The results of f in the memory of its first `count` arguments, whose code must compute what f does."""
    donated = options(donate=tuple((k, k) for k in range(count)))
    kernel = CompiledFunction(f, f, "f", donated, None, None).kernel(*args)
    given = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
    space = plain_python.functions(kernel)
    body = kernel.source.split(f"def {kernel.name}_into(")[1]
    spare = [n for n in body.split("):")[0].split(", ") if n.startswith("out")]
    outputs = {name: np.full(np.shape(f(*args)[int(name[3:])]), np.nan) for name in spare}
    space[f"{kernel.name}_into"](*given, *outputs.values(), *kernel.workspace())
    for k, wanted in enumerate(f(*args)):
        np.testing.assert_allclose(outputs.get(f"out{k}", given[k]), wanted, rtol=1e-9, atol=1e-9, err_msg=str(k))
    return kernel, spare


def test_a_step_in_the_memory_of_the_parameters_has_no_copies_and_no_gradients():
    kernel, spare = updated(lambda w, x, d: (w - 0.1 * (x.T @ d),), [W, X, D], 1)
    assert not spare
    assert kernel.cost.peak_workspace == 0
    assert "for " not in kernel.source.split("_into(")[1].split("@njit")[0]


def test_momentum_is_updated_in_its_own_memory():
    def step(w, v, x, d):
        v = 0.9 * v + x.T @ d
        return w - 0.1 * v, v

    kernel, spare = updated(step, [W, V, X, D], 2)
    assert not spare
    assert kernel.cost.peak_workspace == 0


def test_what_still_reads_the_old_value_comes_first():
    def step(w, x, d):
        return w - 0.1 * (x.T @ d), x @ w

    kernel, _ = updated(step, [W, X, D], 1)
    assert kernel.source.index("np.dot(x, w") < kernel.source.index("add_matmul(")


@pytest.mark.parametrize("f", [
    lambda a, b: (a + a @ b, b), lambda a, b: (a + b @ a, b), lambda a, b: (a + a @ a, b),
    lambda a, b: (a.T + a @ b, b), lambda a, b: (b + a @ b, a + b @ a), lambda a, b: (b - a @ a, a - b @ b),
], ids=["left", "right", "square", "transposed", "exchanged", "crossed"])  # fmt: skip
def test_a_product_of_what_it_is_added_to_is_not_made_in_place(f):
    updated(f, [RNG.normal(size=(4, 4)), RNG.normal(size=(4, 4))], 2)


@st.composite
def updates(draw):
    """A function of three square matrices and a number that returns new ones for two, as text."""
    chosen = random.Random(draw(st.integers(0, 2**32)))
    lines, known = [], ["a", "b", "c", "a", "b"]
    for k in range(draw(st.integers(1, 6))):
        x, y = chosen.choice(known), chosen.choice(known)
        form = chosen.choice(["{x} @ {y}", "{x}.T @ {y}", "{x} + {y}", "{x} - {y}", "0.5 * {x}", "r * {x}", "-{x}",
                              "{x} @ {y}.T", "{x} - 0.5 * ({y} @ c)", "np.tanh({x})", "{x}.T", "{x} + r * ({y} @ {x})"])  # fmt: skip
        lines.append(f"    v{k} = {form.format(x=x, y=y)}")
        known += [f"v{k}"] * 2
    return "\n".join(["def f(a, b, c, r):", *lines, f"    return {chosen.choice(known)}, {chosen.choice(known)}"])


@settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(updates())
def test_random_updates_in_place_are_what_numpy_computes(text):
    note(text)
    space: dict = {"np": np}
    exec(text, space)
    updated(space["f"], [*RNG.normal(size=(3, 3, 3)), 0.3], 2)
