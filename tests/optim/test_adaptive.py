"""adagrad, rmsprop, adam and adamw against their sums written out, and against torch."""

import numpy as np
import pytest

from gradgen import optim

W = np.array([1.0, -2.0, 0.5])
G1, G2, G3 = GRADS = [np.array([0.5, -1.0, 2.0]), np.array([-0.25, 3.0, 1e-3]), np.array([1.0, 0.0, -4.0])]
LR, EPS = 0.1, 1e-3


def walk(*directions):
    """The parameters after each step, given what LR multiplies."""
    return [W - LR * sum(directions[: k + 1]) for k in range(len(directions))]


def test_adagrad_divides_by_the_root_of_all_squares(ours):
    by_hand = walk(
        G1 / (np.sqrt(G1**2) + EPS), G2 / (np.sqrt(G1**2 + G2**2) + EPS), G3 / (np.sqrt(G1**2 + G2**2 + G3**2) + EPS)
    )
    np.testing.assert_allclose(ours(W, GRADS, optim.adagrad(lr=LR, eps=EPS)), by_hand, rtol=1e-13)


def test_rmsprop_divides_by_the_root_of_recent_squares(ours):
    d = 0.75
    s1, s2 = (1 - d) * G1**2, (1 - d) * (G2**2 + d * G1**2)
    s3 = (1 - d) * (G3**2 + d * G2**2 + d**2 * G1**2)
    by_hand = walk(*(g / (np.sqrt(s) + EPS) for g, s in zip(GRADS, (s1, s2, s3), strict=True)))
    np.testing.assert_allclose(ours(W, GRADS, optim.rmsprop(lr=LR, decay=d, eps=EPS)), by_hand, rtol=1e-13)


def adam_directions(b1, b2):
    """Kingma & Ba, section 2, the corrected means as weighted averages: the weights of b**age add up to 1."""
    for t in (1, 2, 3):
        ages = range(t - 1, -1, -1)
        m = sum(b1**age * g for age, g in zip(ages, GRADS, strict=False)) / sum(b1**age for age in ages)
        s = sum(b2**age * g**2 for age, g in zip(ages, GRADS, strict=False)) / sum(b2**age for age in ages)
        yield m / (np.sqrt(s) + EPS)


def test_adam_is_the_weighted_mean_over_its_root_mean_square(ours):
    by_hand = walk(*adam_directions(0.8, 0.95))
    np.testing.assert_allclose(ours(W, GRADS, optim.adam(lr=LR, b1=0.8, b2=0.95, eps=EPS)), by_hand, rtol=1e-13)


def test_the_first_step_of_adam_is_lr_whatever_the_gradient():
    for scale in (1e-3, 1.0, 1e6):
        optimizer = optim.adam(lr=0.25)
        w, _ = optimizer.update(np.array([scale, -scale]), optimizer.init(np.zeros(2)), np.zeros(2))
        np.testing.assert_allclose(w, [-0.25, 0.25], rtol=1e-4)


def test_adamw_shrinks_beside_the_step_of_adam(ours):
    w, by_hand = W, []
    for direction in adam_directions(0.8, 0.95):
        w = w * (1 - LR * 0.3) - LR * direction
        by_hand.append(w)
    optimizer = optim.adamw(lr=LR, b1=0.8, b2=0.95, eps=EPS, weight_decay=0.3)
    np.testing.assert_allclose(ours(W, GRADS, optimizer), by_hand, rtol=1e-13)


def test_adamw_shrinks_by_the_scheduled_rate():
    optimizer = optim.adamw(lr=optim.exponential(0.1, 0.5), weight_decay=0.3)
    w, state = np.ones(1), optimizer.init(np.ones(1))
    for rate in (0.1, 0.05, 0.025):
        before, (w, state) = w, optimizer.update(np.zeros(1), state, w)
        np.testing.assert_allclose(w, before * (1 - 0.3 * rate), rtol=1e-15)


def test_adamw_can_leave_biases_alone():
    optimizer = optim.adamw(lr=0.1, weight_decay=0.3, biases=False)
    params = {"w": np.ones((2, 2)), "b": np.ones(2), "scale": 1.0}
    zeros = {"w": np.zeros((2, 2)), "b": np.zeros(2), "scale": 0.0}
    new, _ = optimizer.update(zeros, optimizer.init(params), params)
    np.testing.assert_allclose(new["w"], 0.97 * np.ones((2, 2)))
    np.testing.assert_array_equal(new["b"], np.ones(2))
    assert new["scale"] == 1.0


def test_adam_keeps_its_correction_over_many_float32_steps():
    optimizer, w = optim.adam(lr=1e-3), np.zeros(1, np.float32)
    state = optimizer.init(w)
    for _ in range(1000):
        w, state = optimizer.update(np.ones(1, np.float32), state, w)
    np.testing.assert_allclose(w, [-1.0], rtol=1e-4)  # a steady gradient: every step is lr


def test_zero_gradients_move_nothing():
    for make in (optim.adagrad, optim.rmsprop, optim.adam):
        optimizer = make(lr=0.1)
        w, _ = optimizer.update(np.zeros(3), optimizer.init(W), W)
        np.testing.assert_array_equal(w, W)


@pytest.mark.parametrize("dtype, rtol", [(np.float64, 1e-12), (np.float32, 2e-6)])
@pytest.mark.parametrize(
    "optimizer, name, options",
    [
        (optim.adagrad(lr=LR), "Adagrad", {}),
        (optim.rmsprop(lr=LR, decay=0.75), "RMSprop", {"alpha": 0.75}),
        (optim.adam(lr=LR), "Adam", {}),
        (optim.adam(lr=LR, b1=0.5, b2=0.9, eps=0.1), "Adam", {"betas": (0.5, 0.9), "eps": 0.1}),
        (optim.adamw(lr=LR, weight_decay=0.2), "AdamW", {"weight_decay": 0.2}),
    ],
)
def test_steps_agree_with_torch(ours, torchs, optimizer, name, options, dtype, rtol):
    np.testing.assert_allclose(
        ours(W, GRADS, optimizer, dtype), torchs(W, GRADS, name, dtype, lr=LR, **options), rtol=rtol
    )
