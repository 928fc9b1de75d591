"""The tape beside autograd and JAX, on functions that people write."""

import numpy as np
import pytest

from gradgen import nn, tape
from gradgen.nn.activations import ACTIVATIONS

RNG = np.random.default_rng(0)
X, W, V = RNG.normal(size=(8, 3)), RNG.normal(size=(3, 4)), RNG.normal(size=4)


def mlp(np):
    return lambda w: np.mean((np.tanh(X @ w + V) @ np.ones((4, 2)) - X[:, :2]) ** 2)


def logsumexp(np):
    def f(w):
        z = X @ w
        top = np.max(z, axis=1, keepdims=True)
        return np.mean(np.log(np.sum(np.exp(z - top), axis=1)) + top[:, 0] - z[:, 1])

    return f


def rosenbrock(np):
    def f(w):
        x = np.ravel(w)
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    return f


def pieces(np):
    def f(w):
        bent = np.where(w > 0, w * np.sin(w), np.minimum(w, -0.5) ** 3)
        return np.sum(bent) + np.sum(np.maximum(w[0], w[1]) / 3)

    return f


def moments(np):
    return lambda w: np.sum(np.std(w, axis=0) * np.mean(w, axis=0) ** 2) + np.var(w) + np.prod(w[0])


def joins(np):
    return lambda w: np.sum(np.concatenate([w, w[:, ::-1] * w], axis=1).T.reshape(4, 6) ** 2 * np.expand_dims(V, 1))


def gradient_descent(np):
    def f(w):
        for _ in range(10):
            w = w - 0.1 * (w**3 - w / (1 + np.abs(w)))
        return np.sum(np.sqrt(1 + w * w))

    return f


FUNCTIONS = [mlp, logsumexp, rosenbrock, pieces, moments, joins, gradient_descent]


@pytest.mark.parametrize("make", FUNCTIONS)
def test_value_and_gradient_are_those_of_autograd(make):
    autograd = pytest.importorskip("autograd")
    import autograd.numpy as anp

    value, g = tape.value_and_grad(make(np))(W)
    expected = autograd.value_and_grad(make(anp))(W)
    np.testing.assert_allclose(value, expected[0], rtol=1e-13)
    np.testing.assert_allclose(g, expected[1], rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("make", FUNCTIONS)
def test_hessian_vector_products_are_those_of_jax(make):
    jax = pytest.importorskip("jax")
    import jax.numpy as jnp

    v = np.cos(np.arange(W.size)).reshape(W.shape)
    with jax.enable_x64(True):
        ours = tape.grad(lambda w: np.sum(tape.grad(make(np))(w) * v))(W)
        theirs = jax.jvp(jax.grad(make(jnp)), (jnp.asarray(W),), (jnp.asarray(v),))[1]
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize("loss", [nn.softmax_cross_entropy, nn.svm_hinge])
def test_networks_have_the_slope_of_their_differences(loss, activation):
    model = nn.MLP((3, 5, 4), activation=activation)
    params = model.init(seed=0, dtype=np.float64)
    labels = np.arange(8) % 4

    def f(params):
        return loss(model(params, X), labels)

    grads = tape.grad(f)(params)

    def moved(step):
        return f([{k: p[k] + step * g[k] for k in p} for p, g in zip(params, grads, strict=True)])

    steepness = sum(np.sum(g * g) for layer in grads for g in layer.values())
    np.testing.assert_allclose((moved(1e-6) - moved(-1e-6)) / 2e-6, steepness, rtol=1e-5)
