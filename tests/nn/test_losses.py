"""Losses against sums written out with loops, and against torch, also where exp overflows."""

import math

import numpy as np
import pytest

from gradgen import nn
from gradgen.errors import ArgumentError, ShapeError

RNG = np.random.default_rng(7)
SCORES = RNG.normal(size=(6, 4))
LABELS = np.array([0, 3, 1, 2, 3, 0])
ONE_HOT = np.eye(4)[LABELS]


@pytest.mark.parametrize("shape", [(5,), (5, 1), (5, 3), (5, 3, 2)])
def test_mse_is_half_the_mean_squared_norm_of_rows(shape):
    p, t = RNG.normal(size=shape), RNG.normal(size=shape)
    by_hand = sum(np.linalg.norm((p[i] - t[i]).ravel()) ** 2 for i in range(5)) / (2 * 5)
    np.testing.assert_allclose(nn.mse(p, t), by_hand, rtol=1e-14)


def test_huber_is_quadratic_within_delta_and_linear_beyond():
    residuals = np.array([0.0, 0.5, -2.0, 2.0, -5.0])
    by_hand = [0.0, 0.125, 2.0, 2.0, 2.0 * (5.0 - 1.0)]  # delta = 2
    for r, value in zip(residuals, by_hand, strict=True):
        assert nn.huber(np.array([r]), np.zeros(1), delta=2.0) == pytest.approx(value)
    assert nn.huber(residuals, np.zeros(5), delta=2.0) == pytest.approx(sum(by_hand) / 5)
    assert nn.huber(residuals, np.zeros(5), delta=np.inf) == nn.mse(residuals, np.zeros(5))


def test_huber_does_not_square_what_is_large():
    assert nn.huber(np.array([1e30], np.float32), np.zeros(1, np.float32)) == np.float32(1e30)


def test_binary_cross_entropy_is_the_negative_log_likelihood():
    z, t = np.array([-2.0, 0.0, 0.5, 3.0]), np.array([0.0, 1.0, 0.25, 1.0])
    p = [1 / (1 + math.exp(-v)) for v in z]
    by_hand = -sum(b * math.log(a) + (1 - b) * math.log(1 - a) for a, b in zip(p, t, strict=True)) / 4
    np.testing.assert_allclose(nn.binary_cross_entropy(z, t), by_hand, rtol=1e-14)


def test_binary_cross_entropy_of_large_logits_is_exact():
    z = np.array([1e4, -1e4])
    assert nn.binary_cross_entropy(z, np.array([1, 0])) == 0
    assert nn.binary_cross_entropy(z, np.array([0, 1])) == 1e4
    np.testing.assert_allclose(nn.binary_cross_entropy(np.array([50.0]), np.ones(1)), math.exp(-50), rtol=1e-14)


def test_softmax_cross_entropy_is_the_mean_log_probability_of_the_labels():
    rows = [math.log(sum(math.exp(s) for s in row)) - row[y] for row, y in zip(SCORES, LABELS, strict=True)]
    np.testing.assert_allclose(nn.softmax_cross_entropy(SCORES, LABELS), sum(rows) / 6, rtol=1e-14)


def test_softmax_cross_entropy_takes_probabilities():
    q = RNG.dirichlet(np.ones(4), size=6)
    log_p = np.log(np.exp(SCORES) / np.exp(SCORES).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(nn.softmax_cross_entropy(SCORES, q), -(q * log_p).sum() / 6, rtol=1e-13)


def test_softmax_cross_entropy_of_large_logits_is_exact():
    z = np.array([[1e4, 0.0, -1e4]])
    assert [nn.softmax_cross_entropy(z, np.array([y])) for y in range(3)] == [0, 1e4, 2e4]


def test_a_class_masked_by_minus_infinity_counts_nothing():
    z = np.array([[0.0, 0.0, -np.inf]])
    for labels in (np.array([1]), np.array([[0, 1, 0]]), np.array([[0.0, 1.0, 0.0]])):
        np.testing.assert_allclose(nn.softmax_cross_entropy(z, labels), math.log(2))


def test_svm_hinge_is_the_sum_over_wrong_classes():
    total = 0.0
    for s, y in zip(SCORES, LABELS, strict=True):
        total += sum(max(0.0, s[j] - s[y] + 0.5) for j in range(4) if j != y)
    np.testing.assert_allclose(nn.svm_hinge(SCORES, LABELS, delta=0.5), total / 6, rtol=1e-14)


def test_svm_hinge_of_the_cs231n_example():
    # Scores 13, -7, 11 with the first class right and delta = 10: max(0, -20 + 10) + max(0, -2 + 10) = 8.
    assert nn.svm_hinge(np.array([[13.0, -7.0, 11.0]]), np.array([0]), delta=10.0) == 8


@pytest.mark.parametrize("loss", [nn.softmax_cross_entropy, nn.svm_hinge])
@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32, np.float64, bool])
def test_integer_and_one_hot_labels_agree(loss, kind):
    assert loss(SCORES, ONE_HOT.astype(kind)) == loss(SCORES, LABELS)


@pytest.mark.parametrize("loss", [nn.softmax_cross_entropy, nn.svm_hinge])
def test_rows_may_have_any_number_of_leading_axes(loss):
    expected = loss(SCORES, LABELS)
    np.testing.assert_allclose(loss(SCORES.reshape(2, 3, 4), LABELS.reshape(2, 3)), expected, rtol=1e-14)
    np.testing.assert_allclose(np.mean([loss(s, y) for s, y in zip(SCORES, LABELS, strict=True)]), expected, rtol=1e-14)


@pytest.mark.parametrize(
    "loss, target",
    [
        (nn.mse, ONE_HOT), (nn.huber, ONE_HOT), (nn.binary_cross_entropy, ONE_HOT),
        (nn.softmax_cross_entropy, LABELS), (nn.softmax_cross_entropy, ONE_HOT), (nn.svm_hinge, LABELS),
    ],
)  # fmt: skip
def test_loss_stays_float32_and_is_a_scalar(loss, target):
    target = target.astype(np.float32) if target.dtype.kind == "f" else target
    value = loss(SCORES.astype(np.float32), target)
    assert value.dtype == np.float32 and value.shape == ()
    np.testing.assert_allclose(value, loss(SCORES, target), rtol=1e-6)


def test_targets_of_other_dtypes_do_not_widen_float32():
    scores = SCORES.astype(np.float32)
    assert nn.binary_cross_entropy(scores, ONE_HOT.astype(int)).dtype == np.float32
    assert nn.softmax_cross_entropy(scores, ONE_HOT).dtype == np.float32


@pytest.mark.parametrize("loss", [nn.mse, nn.huber, nn.binary_cross_entropy])
@pytest.mark.parametrize("shape", [(5,), (5, 2), (5, 1, 1)])
def test_shapes_that_would_broadcast_by_accident_are_refused(loss, shape):
    with pytest.raises(ShapeError, match=r"shapes \(5, 1\) and"):
        loss(np.zeros((5, 1)), np.zeros(shape))


@pytest.mark.parametrize("delta", [0, -1.0, math.nan])
def test_delta_must_be_positive(delta):
    with pytest.raises(ArgumentError, match="delta must be positive"):
        nn.huber(np.zeros(2), np.zeros(2), delta)
    with pytest.raises(ArgumentError, match="delta must be positive"):
        nn.svm_hinge(SCORES, LABELS, delta)


def test_losses_agree_with_torch():
    torch = pytest.importorskip("torch")
    f, z, y = torch.nn.functional, torch.tensor(SCORES), torch.tensor(LABELS)
    t = torch.tensor(ONE_HOT)
    pairs = [
        (nn.mse(SCORES, ONE_HOT), f.mse_loss(z, t) * 4 / 2),
        (nn.huber(SCORES, ONE_HOT, 0.7), f.huber_loss(z, t, delta=0.7) * 4),
        (nn.binary_cross_entropy(SCORES, ONE_HOT), f.binary_cross_entropy_with_logits(z, t) * 4),
        (nn.softmax_cross_entropy(SCORES, LABELS), f.cross_entropy(z, y)),
        (nn.svm_hinge(SCORES, LABELS), f.multi_margin_loss(z, y) * 4),
    ]
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours, theirs.item(), rtol=1e-12)


@pytest.mark.parametrize("activation", sorted(nn.activations.ACTIVATIONS))
@pytest.mark.parametrize("loss", [nn.mse, nn.huber, nn.binary_cross_entropy, nn.softmax_cross_entropy, nn.svm_hinge])
def test_nan_gets_through_every_activation_and_every_loss(activation, loss):
    found = nn.activations.ACTIVATIONS[activation](np.array([[0.5, np.nan, 0.3, 0.4], [1.0, -1.0, 2.0, 0.1]]))
    assert np.isnan(loss(found, np.eye(found.shape[1])[:2]))


@pytest.mark.parametrize("loss", [nn.softmax_cross_entropy, nn.svm_hinge])
@pytest.mark.parametrize("labels", [np.array([0]), np.ones((1, 3)), np.zeros(5, int)], ids=["one", "row", "few"])
def test_every_row_has_a_label_of_its_own(loss, labels):
    with pytest.raises(ShapeError, match="labels of shape"):
        loss(np.ones((6, 3)), labels)


@pytest.mark.parametrize("loss", [nn.mse, nn.huber, nn.binary_cross_entropy])
def test_every_row_has_a_target_of_its_own(loss):
    with pytest.raises(ShapeError, match="differ"):
        loss(np.ones((6, 3)), np.ones((1, 3)))
