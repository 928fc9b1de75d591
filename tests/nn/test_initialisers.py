"""Initialisers: moments over many draws, shapes, dtypes."""

import math

import numpy as np
import pytest

from gradgen import nn
from gradgen.errors import ArgumentError

SHAPE = (300, 200)


def generator():
    return np.random.default_rng(3)


def test_xavier_is_uniform_with_variance_two_over_inputs_and_outputs():
    w = nn.xavier(generator(), SHAPE, np.float64)
    assert np.abs(w).max() <= math.sqrt(6 / 500)
    assert abs(w.mean()) < 1e-3
    assert w.var() == pytest.approx(2 / 500, rel=0.02)


def test_he_is_normal_with_variance_two_over_inputs():
    w = nn.he(generator(), SHAPE, np.float64)
    assert abs(w.mean()) < 1.5e-3
    assert w.var() == pytest.approx(2 / 300, rel=0.02)
    assert (np.abs(w) < w.std()).mean() == pytest.approx(0.6827, abs=0.01)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (1, 6)])
def test_orthogonal_has_orthonormal_rows_or_columns(shape):
    w = nn.orthogonal(generator(), shape, np.float64, gain=2.0) / 2.0
    small = w.T @ w if shape[0] >= shape[1] else w @ w.T
    np.testing.assert_allclose(small, np.eye(min(shape)), atol=1e-14)


def test_orthogonal_favours_no_sign():
    rng = generator()
    corners = [nn.orthogonal(rng, (2, 2), np.float64)[0, 0] for _ in range(400)]
    assert abs(np.mean(np.sign(corners))) < 0.15


@pytest.mark.parametrize("draw", [nn.xavier, nn.he, nn.orthogonal])
def test_one_seed_gives_the_same_numbers_in_both_dtypes(draw):
    single, double = draw(generator(), (4, 6)), draw(generator(), (4, 6), np.float64)
    assert single.dtype == np.float32 and double.dtype == np.float64
    assert single.shape == double.shape == (4, 6)
    np.testing.assert_array_equal(single, double.astype(np.float32))


@pytest.mark.parametrize("draw", [nn.xavier, nn.he, nn.orthogonal])
def test_weights_need_two_axes(draw):
    with pytest.raises(ArgumentError, match="inputs, outputs"):
        draw(generator(), (4,))
