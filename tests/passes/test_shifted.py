"""Sums of ranges in pieces: the same values, one run through the array."""

import numpy as np
import pytest

import gradgen as gg
from gradgen.testing import interpret

X = np.linspace(-1.0, 1.0, 9)


def stencil(x):
    return np.sum((x[2:] - 2 * x[1:-1] + x[:-2]) ** 2)


def held(x):
    return np.sum(x.at[1:-1].set(x[1:-1] * 0.5 + x[2:] * x[:-2]) ** 3)


def apart(x):
    return np.sum(x[:2] ** 2) + np.sum(x[6:] ** 3)


def nested(x):
    return np.sum(x[1:8] * x[2:9]) + np.sum(x[3:5] ** 2) + np.sum(x)


@pytest.mark.parametrize("f", [stencil, held, apart, nested], ids=lambda f: f.__name__)
def test_the_gradient_is_the_tapes(f):
    at = f if f is not held else lambda x: np.sum(gg.fori_loop(0, 1, lambda _, u: held(u) + 0 * u, x)) / 9
    np.testing.assert_allclose(interpret(gg.grad(at))(X), gg.tape.grad(at)(X), atol=1e-12)


def test_a_stencils_cotangent_is_one_concatenation():
    ops = [n.op.name for n in gg.grad(stencil).graph(X).nodes]
    assert ops.count("concatenate") == 1 and "embed" not in ops and "put_add" not in ops


def test_what_is_dear_to_compute_is_computed_once():
    dear = [n.op.name for n in gg.grad(lambda x: np.sum(np.exp(x[1:] - x[:-1]))).graph(X).nodes]
    assert "concatenate" not in dear
