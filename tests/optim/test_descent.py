"""gd, momentum and nesterov against their sums written out, and against torch."""

import numpy as np
import pytest

from gradgen import optim

W = np.array([1.0, -2.0, 0.5])
G1, G2, G3 = GRADS = [np.array([0.5, -1.0, 2.0]), np.array([-0.25, 3.0, 1e-3]), np.array([1.0, 0.0, -4.0])]


def test_gd_adds_up_the_gradients(ours):
    by_hand = [W - 0.1 * G1, W - 0.1 * (G1 + G2), W - 0.1 * (G1 + G2 + G3)]
    np.testing.assert_allclose(ours(W, GRADS, optim.gd(lr=0.1)), by_hand, rtol=1e-15)


def test_gd_of_explicit_numbers():
    optimizer = optim.gd(lr=0.5)
    w, state = optimizer.update(np.array([2.0, -4.0]), optimizer.init(np.zeros(2)), np.array([1.0, 1.0]))
    np.testing.assert_array_equal(w, [0.0, 3.0])
    assert state == {"step": 1.0}


def test_momentum_weighs_old_gradients_by_powers_of_beta(ours):
    b = 0.8
    v1, v2, v3 = G1, G2 + b * G1, G3 + b * G2 + b**2 * G1
    by_hand = [W - 0.1 * v1, W - 0.1 * (v1 + v2), W - 0.1 * (v1 + v2 + v3)]
    np.testing.assert_allclose(ours(W, GRADS, optim.momentum(lr=0.1, beta=b)), by_hand, rtol=1e-14)


def test_nesterov_looks_one_step_ahead(ours):
    b = 0.8
    d1 = (1 + b) * G1
    d2 = (1 + b) * G2 + b**2 * G1
    d3 = (1 + b) * G3 + b**2 * G2 + b**3 * G1
    by_hand = [W - 0.1 * d1, W - 0.1 * (d1 + d2), W - 0.1 * (d1 + d2 + d3)]
    np.testing.assert_allclose(ours(W, GRADS, optim.nesterov(lr=0.1, beta=b)), by_hand, rtol=1e-14)


def test_the_first_update_takes_the_schedule_at_step_zero(ours):
    halves = optim.exponential(0.4, factor=0.5)
    by_hand = [W - 0.4 * G1, W - 0.4 * G1 - 0.2 * G2, W - 0.4 * G1 - 0.2 * G2 - 0.1 * G3]
    np.testing.assert_allclose(ours(W, GRADS, optim.gd(lr=halves)), by_hand, rtol=1e-14)


def test_without_memory_they_are_all_gd(ours):
    expected = ours(W, GRADS, optim.gd(lr=0.3))
    np.testing.assert_array_equal(ours(W, GRADS, optim.momentum(lr=0.3, beta=0)), expected)
    np.testing.assert_array_equal(ours(W, GRADS, optim.nesterov(lr=0.3, beta=0)), expected)


def test_sgd_is_gd():
    assert optim.sgd is optim.gd


@pytest.mark.parametrize("dtype, rtol", [(np.float64, 1e-14), (np.float32, 1e-6)])
@pytest.mark.parametrize(
    "optimizer, options",
    [
        (optim.gd(lr=0.1), {}),
        (optim.momentum(lr=0.1, beta=0.7), {"momentum": 0.7}),
        (optim.nesterov(lr=0.1, beta=0.7), {"momentum": 0.7, "nesterov": True}),
    ],
    ids=["gd", "momentum", "nesterov"],
)
def test_steps_agree_with_torch(ours, torchs, optimizer, options, dtype, rtol):
    np.testing.assert_allclose(
        ours(W, GRADS, optimizer, dtype), torchs(W, GRADS, "SGD", dtype, lr=0.1, **options), rtol=rtol
    )
