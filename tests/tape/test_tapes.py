"""Pausing: what is recorded, by whom, and in which thread."""

import threading

import numpy as np
import pytest

import gradgen as gg
from gradgen import ops, tape
from gradgen.testing import evaluate


def test_no_grad_makes_constants():
    def f(x):
        with tape.no_grad():
            scale = x * x
            assert float(scale) == float(x) ** 2
        return scale * x

    assert tape.grad(f)(3.0) == 9
    assert tape.grad(tape.no_grad()(lambda x: x * x))(3.0) == 0
    assert tape.grad(lambda x: tape.no_grad()(lambda: x * x)() * x)(3.0) == 9
    assert tape.grad(lambda x: x * ops.stop_gradient(x))(3.0) == 3


def test_no_grad_pauses_outer_transformations_only():
    def f(x):
        with tape.no_grad():
            slope = tape.grad(lambda y: y * y * x)(x)  # 2 * x * x = 18, a constant outside
        return slope * x

    assert tape.grad(f)(3.0) == 18
    assert tape.grad(tape.grad(f))(3.0) == 0


def test_no_grad_ends_with_an_error_too():
    def f(x):
        try:
            with tape.no_grad():
                raise KeyError
        except KeyError:
            return x * x

    assert tape.grad(f)(3.0) == 6


def test_threads_do_not_pause_each_other():
    entered, done, result = threading.Event(), threading.Event(), []

    def pause():
        with tape.no_grad():
            entered.set()
            done.wait(10)

    def f(x):
        thread = threading.Thread(target=pause)
        thread.start()
        entered.wait(10)
        y = x * x
        done.set()
        thread.join()
        return y

    result.append(tape.grad(f)(3.0))
    assert result == [6]


BLOCKS = pytest.mark.parametrize("block", [gg.no_grad, tape.no_grad], ids=["gg", "tape"])
GRADS = pytest.mark.parametrize(
    "grad", [lambda f: lambda x: interpreted(gg.grad(f), x), tape.grad], ids=["traced", "tape"]
)


def interpreted(function, x):
    return evaluate(function.graph(x), [x])[0]


@GRADS
@BLOCKS
def test_one_block_pauses_traces_and_tapes(block, grad):
    def f(x):
        with block():
            s = x * x
        return s * x

    assert grad(f)(3.0) == 9.0
    assert grad(lambda x: block()(lambda y: y * y)(x) * x)(3.0) == 9.0


@GRADS
@BLOCKS
def test_a_transformation_within_a_block_works_and_is_constant_outside(block, grad):
    def f(x):
        with block():
            slope = grad_within(lambda y: y * y * y * x)(x)
        return slope * x

    grad_within = tape.grad if grad is tape.grad else gg.grad
    assert grad(f)(2.0) == 24.0


@BLOCKS
def test_loops_and_branches_within_a_block_are_constant(block):
    def f(x):
        with block():
            a = gg.fori_loop(0, 3, lambda i, c: c * x, x) + gg.while_loop(lambda c: c < 100, lambda c: c * x, x)
            b, rows = gg.scan(lambda c, _: (c * 2, x), x, length=2)
            c = gg.cond(x > 0, lambda v: v * x, lambda v: x, x) + gg.checkpoint(lambda y: y * x)(x)
            d, _ = gg.vjp(lambda y: x, x)
            e = gg.vmap(lambda y: y * x)(np.ones(2) * x)
        return a + b + np.sum(rows) + c + d + np.sum(e) + x

    assert interpreted(gg.grad(f), 3.0) == 1.0


@BLOCKS
def test_blocks_nest(block):
    def f(x):
        with block():
            with block():
                s = x * x
            t = s * x
        return t * x * x

    assert interpreted(gg.grad(f), 2.0) == 32.0
    assert gg.grad(lambda x: x * x)(3.0) == 6.0
    with block():
        assert gg.grad(lambda x: x * x)(3.0) == 6.0
