"""Labels as integers and as one-hot rows, and what is neither."""

import numpy as np
import pytest

from gradgen.errors import DTypeError, ShapeError
from gradgen.nn.labels import is_one_hot, label_mask

SCORES = np.zeros((3, 4))


def test_integers_have_one_axis_less_than_the_scores():
    assert not is_one_hot(np.array([0, 1, 3]), SCORES)
    assert is_one_hot(np.zeros((3, 4)), SCORES)
    assert not is_one_hot(np.int64(2), SCORES[0])


def test_mask_is_true_at_the_right_class():
    expected = np.eye(4, dtype=bool)[[0, 1, 3]]
    for labels in (np.array([0, 1, 3]), expected, expected.astype(np.uint8), 0.5 * expected):
        np.testing.assert_array_equal(label_mask(labels, SCORES), expected)
        assert label_mask(labels, SCORES).dtype == bool


@pytest.mark.parametrize("shape", [(3, 1), (3, 5), (3, 4, 1), ()])
def test_labels_of_other_shapes_are_refused(shape):
    with pytest.raises(ShapeError, match="do not fit scores"):
        label_mask(np.zeros(shape, int), SCORES)


def test_labels_that_are_not_integers_are_refused():
    with pytest.raises(DTypeError, match="must be integers, not float64"):
        label_mask(np.zeros(3), SCORES)


@pytest.mark.parametrize("scores", [np.zeros((3, 1)), np.float64(1.0)])
def test_a_single_class_points_to_the_binary_loss(scores):
    with pytest.raises(ShapeError, match="binary_cross_entropy"):
        label_mask(np.zeros(3, int), scores)
