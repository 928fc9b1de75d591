"""The examples that gradgen teaches with: their values and gradients, by the compiled functions and by hand."""

import numpy as np
import pytest

import gradgen as gg

pytestmark = pytest.mark.numba


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def test_a_product_of_a_sum():
    f = gg.value_and_grad(lambda x, y, z: (x + y) * z, argnums=(0, 1, 2))
    assert f(-2.0, 5.0, -4.0) == (-12.0, (-4.0, -4.0, 3.0))


def test_the_sigmoid_neuron():
    def neuron(w, x):
        return 1 / (1 + np.exp(-(w[0] * x[0] + w[1] * x[1] + w[2])))

    value, (gw, gx) = gg.value_and_grad(neuron, argnums=(0, 1))(np.array([2.0, -3.0, -3.0]), np.array([-1.0, -2.0]))
    slope = sigmoid(1.0) * (1 - sigmoid(1.0))
    assert value == pytest.approx(0.7310585786300049)
    np.testing.assert_allclose(gw, [-slope, -2 * slope, slope])
    np.testing.assert_allclose(gx, [2 * slope, -3 * slope])


def test_the_larger_input_takes_the_gradient():
    f = gg.value_and_grad(lambda x, y, z, w: 2 * (x * y + np.maximum(z, w)), argnums=(0, 1, 2, 3))
    assert f(3.0, -4.0, 2.0, -1.0) == (-20.0, (-8.0, 6.0, 2.0, 0.0))


def test_the_squared_norm_of_a_matrix_times_a_vector():
    w, x = np.array([[0.1, 0.5], [-0.3, 0.8]]), np.array([0.2, 0.4])
    value, (gw, gx) = gg.value_and_grad(lambda w, x: np.sum((w @ x) ** 2), argnums=(0, 1))(w, x)
    q = w @ x
    np.testing.assert_allclose(q, [0.22, 0.26])
    assert value == pytest.approx(0.116)
    np.testing.assert_allclose(gw, [[0.088, 0.176], [0.104, 0.208]])
    np.testing.assert_allclose(gx, [-0.112, 0.636])


def test_a_root_of_a_sum_costs_few_operations_forward_and_backward():
    def f(x):
        return np.sqrt(x * x + np.exp(x * x))

    def by_hand(x):
        return x * (1 + np.exp(x * x)) / np.sqrt(x * x + np.exp(x * x))

    compiled = gg.value_and_grad(f)
    value, slope = compiled(0.5)
    assert (value, slope) == (pytest.approx(f(0.5)), pytest.approx(by_hand(0.5)))
    assert gg.jit(f).cost(0.5).flops == 4  # a square, exp, +, sqrt
    assert gg.jit(by_hand).cost(0.5).flops >= compiled.cost(0.5).flops - 2
    assert compiled.cost(0.5).flops <= 4 * gg.jit(f).cost(0.5).flops


def test_linear_scores_with_hinge_loss():
    w, x, y = np.array([[1.0, -2.0], [0.5, 0.3], [-1.0, 2.0]]), np.array([[1.0, 2.0], [-0.5, 1.0]]), np.array([0, 2])

    def loss(w):
        scores = x @ w.T
        margins = np.maximum(0, scores - scores[np.arange(2), y][:, None] + 1)
        return np.mean(np.sum(margins, axis=1) - 1)

    scores = x @ w.T
    right = scores[np.arange(2), y]
    margins = np.maximum(0, scores - right[:, None] + 1)
    over = (margins > 0).astype(float)
    over[np.arange(2), y] = 0
    over[np.arange(2), y] = -over.sum(axis=1)
    value, gradient = gg.value_and_grad(loss)(w)
    assert value == pytest.approx(np.mean(margins.sum(axis=1) - 1))
    np.testing.assert_allclose(gradient, over.T @ x / 2)


@pytest.mark.parametrize("layers", [2, 3])
def test_networks_of_rectified_layers(layers):
    rng = np.random.default_rng(layers)
    weights, x = [rng.normal(size=(4, 4)) for _ in range(layers)], rng.normal(size=4)

    def network(weights, x):
        h = x
        for w in weights[:-1]:
            h = np.maximum(0, w @ h)
        return np.sum(weights[-1] @ h)

    values, g = [x], np.ones(4)
    for w in weights[:-1]:
        values.append(np.maximum(0, w @ values[-1]))
    wanted = []
    for w, h in zip(reversed(weights), reversed(values), strict=True):
        wanted.insert(0, np.outer(g, h))
        g = (w.T @ g) * (h > 0)
    for found, by_hand in zip(gg.grad(network)(weights, x), wanted, strict=True):
        np.testing.assert_allclose(found, by_hand, atol=1e-12)


def test_the_four_equations_of_backpropagation():
    rng = np.random.default_rng(1)
    w, b = [rng.normal(size=(3, 4)), rng.normal(size=(2, 3))], [rng.normal(size=3), rng.normal(size=2)]
    x, y, n = rng.normal(size=(5, 4)), rng.normal(size=(5, 2)), 5

    def cost(w, b):
        a = x
        for weights, biases in zip(w, b, strict=True):
            a = gg.nn.sigmoid(a @ weights.T + biases)
        return np.sum((y - a) ** 2) / (2 * n)

    activations, a = [x], x
    for weights, biases in zip(w, b, strict=True):
        a = sigmoid(a @ weights.T + biases)
        activations.append(a)
    delta = (a - y) / n * a * (1 - a)  # 1: the error of the last layer
    last = (delta.T @ activations[1], delta.sum(axis=0))  # 3, 4: slopes of weights and biases
    delta = delta @ w[1] * activations[1] * (1 - activations[1])  # 2: from layer to layer
    first = (delta.T @ x, delta.sum(axis=0))
    gw, gb = gg.grad(cost, argnums=(0, 1))(w, b)
    for found, wanted in zip((gw[0], gb[0], gw[1], gb[1]), (*first, *last), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_two_weights_in_a_chain_learn_by_gradient_descent():
    def cost(w, x, t):
        return 0.5 * (t - w[1] * w[0] * x) ** 2

    gradient = gg.grad(cost)
    w = np.array([0.5, -0.4])
    np.testing.assert_allclose(gradient(w, 2.0, 1.0), [(1 + 0.4) * 0.8, -(1 + 0.4) * 1.0])
    for _ in range(200):
        w = w - 0.1 * gradient(w, 2.0, 1.0)
    assert w[0] * w[1] * 2.0 == pytest.approx(1.0, abs=1e-3)


def test_patterns_of_the_backward_flow():
    def slopes(f):
        return gg.grad(f, argnums=(0, 1))(3.0, -2.0)

    assert slopes(lambda x, y: 5 * (x + y)) == (5.0, 5.0)  # a sum distributes
    assert slopes(lambda x, y: 5 * np.maximum(x, y)) == (5.0, 0.0)  # a maximum routes
    assert slopes(lambda x, y: 5 * (x * y)) == (-10.0, 15.0)  # a product switches
    assert slopes(lambda x, y: x * y + x) == (-1.0, 3.0)  # branches add
