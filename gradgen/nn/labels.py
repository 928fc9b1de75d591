"""Class labels, as integers or as one-hot rows: told apart here, and nowhere else.

    scores f[..., k], labels i[...]              integers in 0..k-1
    scores f[..., k], labels of any dtype[..., k]   one-hot rows, or probabilities

Integers outside 0..k-1 can't be seen without looking at values, so they are not checked: they match no class.
"""

from __future__ import annotations

import numpy as np

from gradgen.errors import DTypeError, ShapeError
from gradgen.ir.source import callers_line


def is_one_hot(labels, scores) -> bool:
    """Whether labels are rows over the classes. Raises ShapeError or DTypeError where they are neither form."""
    classes = scores.shape[-1] if scores.ndim else 1
    if classes == 1:
        raise ShapeError(
            f"scores of shape {scores.shape}: one class leaves nothing to choose",
            where=callers_line(),
            hint="for two classes with one logit: binary_cross_entropy, and logits > 0 for the prediction",
        )
    if labels.ndim == scores.ndim and labels.shape == scores.shape:
        return True
    if labels.shape != scores.shape[:-1]:
        raise ShapeError(
            f"labels of shape {labels.shape} do not fit scores of shape {scores.shape}",
            where=callers_line(),
            hint="integers: scores.shape[:-1] (a column of labels is labels[:, 0]); one-hot: scores.shape",
        )
    if labels.dtype.kind not in "biu":
        raise DTypeError(f"labels must be integers, not {labels.dtype}", where=callers_line(),
                         hint="labels.astype(int)")  # fmt: skip
    return False


def label_mask(labels, scores):
    """bool[..., k]: True at the label's class (for probabilities: at every class that has some)."""
    if not is_one_hot(labels, scores):
        return np.expand_dims(labels, -1) == np.arange(scores.shape[-1])
    return labels if labels.dtype.kind == "b" else labels > 0


def label_weights(labels, scores):
    """f[..., k] in the dtype of the scores: 1 at the label's class, or the probabilities that were given."""
    weights = labels if is_one_hot(labels, scores) else label_mask(labels, scores)
    return weights.astype(scores.dtype)
