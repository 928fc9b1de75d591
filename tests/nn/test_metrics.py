"""Accuracy, by counting."""

import numpy as np
import pytest

from gradgen import nn

LOGITS = np.array([[0.1, 0.9], [2.0, 1.0], [-1.0, -2.0], [0.0, 5.0]], np.float32)


@pytest.mark.parametrize("labels, share", [([1, 0, 0, 1], 1.0), ([1, 0, 1, 0], 0.5), ([0, 1, 1, 0], 0.0)])
def test_accuracy_counts_rows_whose_largest_logit_is_right(labels, share):
    for form in (np.array(labels), np.eye(2)[labels]):
        value = nn.accuracy(LOGITS, form)
        assert value == share
        assert value.dtype == np.float32
