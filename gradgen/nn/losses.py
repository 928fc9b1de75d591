"""Loss functions: how wrong predictions are, as one number.

In: predictions, targets of the same shape (or class labels), rows along the first axis. Out: a scalar of the
predictions' dtype. Every loss is the mean over rows of what a row's entries add up to.
"""

from __future__ import annotations

import numpy as np

from gradgen.errors import ArgumentError, ShapeError
from gradgen.ir.source import callers_line
from gradgen.nn.activations import log_softmax, relu, softplus_tail
from gradgen.nn.labels import label_mask, label_weights


def mse(prediction, target):
    """Half the mean squared error: 1/(2n) * sum of the rows' squared norms. Shapes: f[n] or f[n, ...], both alike.

    Raises ShapeError where the shapes differ: f[n, 1] against f[n] would broadcast to n x n.
    """
    _check_alike("mse", prediction, target)
    return 0.5 * _mean_of_rows(np.square(prediction - target))


def huber(prediction, target, delta=1.0):
    """Mean over rows of r*r/2 where |r| <= delta, else delta * (|r| - delta/2). With delta = inf it is `mse`.

    delta in the units of the targets, positive. Source: Huber 1964.
    """
    _check_positive("huber", delta)
    _check_alike("huber", prediction, target)
    residual = prediction - target
    slope = np.clip(residual, -delta, delta)
    return _mean_of_rows(slope * (residual - 0.5 * slope))  # without abs, whose Hessian at 0 would be 0


def binary_cross_entropy(logits, targets):
    """-t * log(p) - (1 - t) * log(1 - p) with p = sigmoid(logits), targets in 0..1; both f[n] or f[n, ...].

    Takes logits, not probabilities, and is finite for all of them. Source: Bishop 2006, equation 4.90.
    """
    _check_alike("binary_cross_entropy", logits, targets)
    linear = relu(logits) - logits * targets.astype(logits.dtype)
    return _mean_of_rows(linear + softplus_tail(logits))


def softmax_cross_entropy(logits, labels):
    """-log(softmax(logits)) at the label, mean over rows. logits: f[..., k]; labels: i[...] or one-hot [..., k].

    Takes logits, not probabilities. One-hot labels may be any probabilities; a zero counts nothing, even where the
    logit is -inf. Integers outside 0..k-1 are not checked: such rows add 0. Source: Bishop 2006, equation 4.108.
    """
    # 0 * -inf is nan, so -inf is kept to the lowest number. A `where` by the labels would do as well, but it is a guard
    # that everything in front of the logits would have to be shielded by (docs/derivatives.md).
    log_probability = np.maximum(log_softmax(logits), np.finfo(logits.dtype).min.item())
    return -np.mean(np.sum(label_weights(labels, logits) * log_probability, axis=-1))


def svm_hinge(scores, labels, delta=1.0):
    """Multiclass hinge: sum over j != y of max(0, s_j - s_y + delta), mean over rows; derivative 0 at the hinge.

    scores: f[..., k], finite (else the loss is nan); labels: i[...] or one-hot [..., k]; delta in the units of the
    scores, positive. Source: Weston & Watkins 1999, in the form of Stanford's CS231n (linear classification notes).
    """
    _check_positive("svm_hinge", delta)
    right = label_mask(labels, scores).astype(scores.dtype)
    right_score = np.sum(right * scores, axis=-1, keepdims=True)
    return np.mean(np.sum((1 - right) * relu(scores - right_score + delta), axis=-1))


def _mean_of_rows(x):
    return np.mean(x if x.ndim < 2 else np.sum(x, axis=tuple(range(1, x.ndim))))


def _check_alike(name, prediction, target):
    if prediction.shape != target.shape:
        raise ShapeError(f"{name}: shapes {prediction.shape} and {target.shape} differ", where=callers_line(),
                         hint="reshape the targets")  # fmt: skip


def _check_positive(name, delta):
    if isinstance(delta, int | float) and not delta > 0:
        raise ArgumentError(f"{name}: delta must be positive, got {delta}")
