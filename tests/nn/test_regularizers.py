"""Penalties over pytrees, by explicit sums."""

import numpy as np
import pytest

from gradgen import nn

PARAMS = [{"w": np.array([[1.0, -2.0], [3.0, 0.0]]), "b": np.array([4.0, -5.0])}, (np.array([[-1.0]]), None)]


def test_every_array_of_the_tree_counts():
    assert nn.l1(PARAMS) == 1 + 2 + 3 + 4 + 5 + 1
    assert nn.l2(PARAMS) == 0.5 * (1 + 4 + 9 + 16 + 25 + 1)


def test_biases_can_be_left_out():
    assert nn.l1(PARAMS, biases=False) == 1 + 2 + 3 + 1
    assert nn.l2(PARAMS, biases=False) == 0.5 * (1 + 4 + 9 + 1)


def test_a_plain_vector_of_weights_counts():
    assert nn.l2(np.array([3.0, 4.0])) == 12.5


@pytest.mark.parametrize("penalty", [nn.l1, nn.l2])
def test_penalties_stay_float32(penalty):
    assert penalty(nn.MLP((3, 4, 2)).init(0)).dtype == np.float32
