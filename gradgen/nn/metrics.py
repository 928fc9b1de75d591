"""What people read beside the loss while a network trains. In: scores and labels. Out: a scalar."""

from __future__ import annotations

import numpy as np

from gradgen.nn.labels import is_one_hot


def accuracy(logits, labels):
    """The share of rows whose largest logit is the label's. logits: f[..., k]; labels: i[...] or one-hot [..., k]."""
    classes = np.argmax(labels, axis=-1) if is_one_hot(labels, logits) else labels
    return np.mean((np.argmax(logits, axis=-1) == classes).astype(logits.dtype))
