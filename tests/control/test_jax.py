"""Where JAX is installed: a dozen loops against jax.lax, values, gradients, hessians and batches."""

import numpy as np
import pytest

import gradgen as gg
from tests.control.checks import evaluated

jax = pytest.importorskip("jax")
RNG = np.random.default_rng(0)


class Lax:
    """The verbs under the names that gradgen gives them."""

    scan = staticmethod(jax.lax.scan)
    fori_loop = staticmethod(jax.lax.fori_loop)
    cond = staticmethod(jax.lax.cond)
    while_loop = staticmethod(jax.lax.while_loop)
    np = jax.numpy


class Ours:
    scan, fori_loop, cond, while_loop, np = gg.scan, gg.fori_loop, gg.cond, gg.while_loop, np


def decay(m, x):
    return m.fori_loop(0, 5, lambda i, c: c - 0.1 * m.np.sin(c * x[0]) * i, x)


def fibonacci(m, x):
    return m.fori_loop(0, 4, lambda i, c: (c[1], m.np.tanh(c[0] + c[1])), (x, x[::-1]))[0]


def recurrent(m, x):
    h, ys = m.scan(lambda h, r: (m.np.tanh(h * 0.5 + r * x), m.np.sum(h * r)), x * 0, x)
    return m.np.concatenate([h, ys])


def backwards(m, x):
    return m.scan(lambda c, r: (c * r + 1, c), 1.0, x, reverse=True)[1]


def nested(m, x):
    def outer(c, r):
        inner = m.fori_loop(0, 3, lambda i, a: m.np.sin(a) + r * x[0], c)
        return inner, inner * r

    return m.scan(outer, x[1], x)[1]


def branching(m, x):
    def body(c, r):
        return m.cond(r > 0.1, lambda c: c * r, lambda c: m.np.cos(c) + r, c), c

    return m.scan(body, 0.3, x)[1]


def writes(m, x):
    return m.fori_loop(1, 3, lambda i, a: a.at[i].set(a[i - 1] * a[i] + m.np.sin(a[i + 1])), x)


def sums(m, x):
    return m.fori_loop(0, 4, lambda i, a: a.at[i % 3].add(a[i] * x[3 - i]), x)


def slices(m, x):
    return m.fori_loop(0, 3, lambda i, a: a.at[1:-1].set(0.3 * a[2:] + 0.6 * a[1:-1] ** 2 + a[:-2]), x)


def product(m, x):
    w = m.np.outer(x, x) * 0.3
    return m.fori_loop(0, 3, lambda i, h: m.np.tanh(w @ h), x)


def pairs(m, x):
    (a, b), ys = m.scan(lambda c, r: ((c[1] * r, c[0]), (c[0], r * c[1])), (x[0], x[1]), x)
    return m.np.concatenate([ys[0], ys[1]]) * a + b


def scanned_arrays(m, x):
    return m.scan(lambda a, r: (a[::-1] * r + 0.1, a.at[0].set(r)), x, x)[1]


def stepped(m, x):
    return m.while_loop(lambda c: m.np.sum(c) < 9.0, lambda c: c * 1.5 + 0.2, x)


PROGRAMS = [
    decay,
    fibonacci,
    recurrent,
    backwards,
    nested,
    branching,
    writes,
    sums,
    slices,
    product,
    pairs,
    scanned_arrays,
]
X = np.array([0.4, -0.3, 0.8, 0.6])


def number(m, f):
    return lambda x: m.np.sum(m.np.sin(f(m, x) + 0.3))


@pytest.fixture(autouse=True)
def doubles():
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


@pytest.mark.parametrize("f", [*PROGRAMS, stepped], ids=lambda f: f.__name__)
def test_values_are_those_of_jax(f):
    (found,) = evaluated(gg.jit(lambda x: f(Ours, x)), [X])
    np.testing.assert_allclose(found, f(Lax, jax.numpy.asarray(X)), rtol=1e-12)


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_gradients_hessians_and_batches_are_those_of_jax(f):
    ours, theirs = number(Ours, f), number(Lax, f)
    batch = np.stack([X, X[::-1], 0.5 * X])
    (gradient,) = evaluated(gg.grad(ours), [X])
    np.testing.assert_allclose(gradient, jax.grad(theirs)(X), rtol=1e-10, atol=1e-12)
    (hessian,) = evaluated(gg.hessian(ours), [X])
    np.testing.assert_allclose(hessian, jax.hessian(theirs)(X), rtol=1e-9, atol=1e-11)
    (batched,) = evaluated(gg.vmap(gg.grad(ours)), [batch])
    np.testing.assert_allclose(batched, jax.vmap(jax.grad(theirs))(batch), rtol=1e-10, atol=1e-12)


def test_forward_mode_and_batches_of_a_while_loop_are_those_of_jax():
    ours, theirs = number(Ours, stepped), number(Lax, stepped)
    found = evaluated(gg.jit(lambda x, v: gg.jvp(ours, (x,), (v,))), [X, X[::-1].copy()])
    np.testing.assert_allclose(found, jax.jvp(theirs, (X,), (X[::-1],)), rtol=1e-11)
    batch = np.stack([X, X + 1, 0.5 * X])
    (batched,) = evaluated(gg.vmap(ours), [batch])
    np.testing.assert_allclose(batched, jax.vmap(theirs)(batch), rtol=1e-11)
