"""checkpoint: values and derivatives as without, less memory, and what it refuses."""

import math
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import gradgen as gg
from gradgen.errors import ArgumentError
from gradgen.testing import check_grads, interpret
from tests import plain_python

RNG = np.random.default_rng(0)
W, H = RNG.normal(size=(3, 3)), RNG.normal(size=3)
PLANS = {
    "segments": {}, "one snapshot": {"snapshots": 1}, "three snapshots": {"snapshots": 3}, "little memory": {"memory": 1},
    "some memory": {"memory": 100}, "enough memory": {"memory": 300},
}  # fmt: skip
EACH = pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)

FEW = pytest.mark.parametrize("plan", [{}, {"snapshots": 2}], ids=str)


def recurrent(w, h, xs):
    def body(h, x):
        h = np.tanh(w @ h + x)
        return h, np.sum(h * x)

    h, ys = gg.scan(body, h, xs)
    return np.sum(h * h) + np.sum(np.sin(ys) * xs[:, 0])


def rolled(n, x, a):
    return gg.fori_loop(0, n, lambda i, c: np.sin(c * a) + 0.1 * i, x)


def close(found, wanted):
    for x, y in zip(gg.trace.pytree.flatten(found)[0], gg.trace.pytree.flatten(wanted)[0], strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-12)


@EACH
@pytest.mark.parametrize("n", [5, 11])
def test_values_and_gradients_are_those_without(plan, n):
    args = W, H, RNG.normal(size=(n, 3))
    wanted = gg.tape.value_and_grad(recurrent, argnums=(0, 1, 2))(*args)
    function = gg.value_and_grad(gg.checkpoint(recurrent, **plan), argnums=(0, 1, 2))
    close(interpret(function)(*args), wanted)
    close(plain_python.run(function.kernel(*args), args), [wanted[0], *wanted[1]])


@pytest.mark.parametrize("n", [*range(1, 18), 24, 25, 26, 35, 36, 37, 40])
def test_segments_of_loops_of_any_length_make_the_same_steps(n):
    function = gg.value_and_grad(gg.checkpoint(lambda x, a: rolled(n, x, a)), argnums=(0, 1))
    close(interpret(function)(0.7, 1.3), gg.tape.value_and_grad(lambda x, a: rolled(n, x, a), argnums=(0, 1))(0.7, 1.3))


@pytest.mark.parametrize("n", [4, 16, 30, 100])
def test_segments_are_about_as_long_as_their_number(n):
    (outer,) = [x for x in gg.jit(gg.checkpoint(lambda x: rolled(n, x, 1.3))).stages(0.7)["trace"].nodes
                if x.op.name == "branch"]  # fmt: skip
    lengths = [int(k) for k in re.findall(r"length=(\d+)", str(outer.attrs["then"]))]
    assert max(lengths) <= math.isqrt(n) + 1
    assert lengths[0] * lengths[1] + sum(lengths[2:]) == n


@FEW
def test_derivatives_of_second_order_are_differences(plan):
    f = gg.checkpoint(lambda x, a: rolled(5, x, a), **plan)
    check_grads(f, 0.4, 1.3, compiled=False)


@FEW
def test_a_batch_is_each_example(plan):
    f = gg.value_and_grad(gg.checkpoint(lambda x, a: rolled(7, x, a), **plan), argnums=(0, 1))
    xs = np.array([0.3, -0.8, 1.1])
    wanted = [gg.tape.value_and_grad(lambda x, a: rolled(7, x, a), argnums=(0, 1))(x, 1.3) for x in xs]
    value, gradients = interpret(gg.vmap(f, in_axes=(0, None)))(xs, 1.3)
    close([value, *gradients], [np.array([w[0] for w in wanted]), *np.array([w[1] for w in wanted]).T])


@pytest.mark.parametrize("plan", [{}, {"snapshots": 4}, {"memory": 8 * 8 * 4}], ids=str)
def test_less_is_kept_than_without(plan):
    x = np.ones(8)

    def loss(x):
        return np.sum(rolled(400, x, 1.3))

    plain, less = (gg.grad(f).cost(x).peak_workspace for f in (loss, gg.checkpoint(loss, **plan)))
    assert plain > 400 * 8 * 8
    assert less < plain / 4


def test_more_snapshots_take_more_room_and_memory_says_how_many():
    x = np.ones(8)

    def workspace(**plan):
        return gg.grad(gg.checkpoint(lambda x: np.sum(rolled(50, x, 1.3)), **plan)).cost(x).peak_workspace

    rooms = [workspace(snapshots=k) for k in (1, 4)]
    assert rooms[0] < rooms[1]
    assert workspace(memory=5 * 64 - 1) == rooms[1]
    assert workspace(memory=1) == rooms[0]


def test_without_a_loop_what_was_made_is_made_again():
    def f(x):
        return np.exp(np.sin(x) * 2)

    nodes = [n.op.name for n in gg.grad(lambda x: np.sum(gg.checkpoint(f)(x))).stages(np.ones(3))["trace"].nodes]
    assert nodes.count("branch") >= 1
    check_grads(gg.checkpoint(f), np.array([0.3, 0.8]), compiled=False)


def test_of_two_plans_the_inner_one_counts_inside():
    def inner(x):
        return rolled(9, x, 1.1)

    def outer(x):
        return rolled(9, gg.checkpoint(inner, snapshots=2)(x), 0.9)

    text = str(gg.jit(gg.checkpoint(outer, snapshots=5)).stages(0.5)["trace"])
    assert sorted(map(int, re.findall(r"snapshots=(\d+)", text)))[-2:] == [5, 5]
    assert "snapshots=2" in text
    close(interpret(gg.grad(gg.checkpoint(outer, snapshots=5)))(0.5), gg.tape.grad(outer)(0.5))


def test_a_loop_after_the_function_keeps_its_carries():
    text = str(gg.jit(lambda x: rolled(30, gg.checkpoint(np.sin)(x), 1.0)).stages(0.5)["trace"])
    assert re.findall(r"length=(\d+)", text) == ["30"]


def test_a_plan_belongs_to_the_thread_that_traces():
    def meanwhile(x):
        return str(gg.jit(lambda x: rolled(30, x, 1.0)).stages(x)["trace"])

    found = []

    def f(x):
        with ThreadPoolExecutor(1) as other:
            found.append(other.submit(meanwhile, 0.5).result())
        return rolled(9, x, 1.1)

    gg.jit(gg.checkpoint(f, snapshots=2)).stages(0.5)
    assert "length=30" in found[0]
    assert "snapshots=2" not in found[0]


@EACH
def test_a_while_loop_keeps_its_stack(plan):
    def f(x):
        return gg.while_loop(lambda c: c[1] < 5, lambda c: (np.sin(c[0]) * x, c[1] + 1), (x, 0))[0]

    close(interpret(gg.grad(gg.checkpoint(f, **plan)))(0.7), gg.tape.grad(f)(0.7))


@EACH
def test_trees_keywords_and_closures_pass_through(plan):
    scale = 1.5

    @gg.checkpoint(**plan) if plan else gg.checkpoint
    def f(p, *, n=3):
        return {"out": rolled(n, p["x"], scale), "twice": 2 * p["x"]}

    def loss(p):
        found = f(p, n=5)
        return np.sum(found["out"] * found["twice"])

    p = {"x": np.array([0.2, 0.7])}
    close(interpret(gg.grad(loss))(p), gg.tape.grad(loss)(p))
    assert f.__name__ == "f"


def test_outside_of_traces_it_is_the_function():
    assert gg.checkpoint(lambda x, y: (x, y))(1, "two") == (1, "two")


def test_it_decorates_with_and_without_arguments():
    assert gg.checkpoint(math.sqrt)(4) == 2
    assert gg.checkpoint(snapshots=2)(math.sqrt)(4) == 2


@pytest.mark.parametrize("given", [{"snapshots": 0}, {"snapshots": -1}, {"memory": 0}, {"snapshots": 2.0}, {"memory": True},
                                   {"snapshots": "all"}], ids=str)  # fmt: skip
def test_room_is_a_positive_integer(given):
    (name,) = given
    with pytest.raises(ArgumentError, match=name):
        gg.checkpoint(lambda x: x, **given)


def test_snapshots_and_memory_at_once_are_refused():
    with pytest.raises(ArgumentError, match="both snapshots and memory"):
        gg.checkpoint(lambda x: x, snapshots=2, memory=100)
