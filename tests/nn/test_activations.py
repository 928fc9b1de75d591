"""Activations against written-out formulas, SciPy and torch, also where exp overflows."""

import math

import numpy as np
import pytest
import scipy.special

from gradgen import nn
from gradgen.errors import ArgumentError, ShapeError
from gradgen.nn.activations import ACTIVATIONS, find

X = np.array([-3.0, -0.5, 0.0, 0.25, 2.0])
FORMULAS = {
    "elu": lambda x: x if x > 0 else math.exp(x) - 1,
    "gelu": lambda x: 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "identity": lambda x: x,
    "leaky_relu": lambda x: x if x > 0 else 0.01 * x,
    "relu": lambda x: max(x, 0.0),
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "silu": lambda x: x / (1 + math.exp(-x)),
    "softplus": lambda x: math.log(1 + math.exp(x)),
    "tanh": math.tanh,
}
# name -> the limits at -1e4 and 1e4
LIMITS = {
    "elu": (-1, 1e4), "gelu": (0, 1e4), "identity": (-1e4, 1e4), "leaky_relu": (-100, 1e4), "relu": (0, 1e4),
    "sigmoid": (0, 1), "silu": (0, 1e4), "softplus": (0, 1e4), "tanh": (-1, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMULAS)
def test_activation_is_its_formula(name):
    np.testing.assert_allclose(find(name)(X), [FORMULAS[name](x) for x in X], rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", LIMITS)
def test_activation_reaches_its_limits_without_overflow(name, dtype):
    out = find(name)(np.array([-1e4, 1e4], dtype))
    assert out.dtype == dtype
    np.testing.assert_allclose(out, LIMITS[name], rtol=1e-6)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4)])
def test_activation_keeps_float32_and_all_but_the_last_axis(name, shape):
    out = find(name)(np.linspace(-2, 2, math.prod(shape), dtype=np.float32).reshape(shape))
    assert out.dtype == np.float32
    assert out.shape == ((*shape[:-1], 2) if name == "maxout" else shape)


def test_gelu_survives_arguments_whose_cube_overflows():
    np.testing.assert_array_equal(nn.gelu(np.array([-3e38, 3e38], np.float32)), np.array([0, 3e38], np.float32))


def test_gelu_is_close_to_the_exact_one():
    x = np.linspace(-10, 10, 2001)
    assert np.abs(nn.gelu(x) - x * scipy.special.ndtr(x)).max() < 5e-4


def test_softplus_minus_relu_is_exact_where_it_is_tiny():
    np.testing.assert_allclose(nn.softplus(np.array([-50.0])), math.exp(-50), rtol=1e-14)


def test_slopes_can_be_chosen():
    np.testing.assert_allclose(nn.leaky_relu(X, 0.5), np.where(X > 0, X, X / 2))
    np.testing.assert_allclose(nn.elu(X, 2.0), np.where(X > 0, X, 2 * np.expm1(X)))


def test_maxout_takes_the_largest_piece_of_each_unit():
    x = np.array([[1.0, -2.0, 5.0, 3.0, 0.0, 4.0]])
    np.testing.assert_array_equal(nn.maxout(x), [[3, 0, 5]])  # pieces [1, -2, 5] and [3, 0, 4]
    np.testing.assert_array_equal(nn.maxout(x, pieces=3), [[5, 4]])  # pieces [1, -2], [5, 3] and [0, 4]


def test_maxout_names_sizes_that_do_not_split():
    with pytest.raises(ShapeError, match="5 does not split into 2 pieces"):
        nn.maxout(np.zeros((3, 5)))


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_softmax_is_scipys(axis):
    x = np.random.default_rng(0).normal(size=(3, 4))
    np.testing.assert_allclose(nn.softmax(x, axis), scipy.special.softmax(x, axis), rtol=1e-14)
    np.testing.assert_allclose(nn.log_softmax(x, axis), scipy.special.log_softmax(x, axis), rtol=1e-13)


def test_softmax_of_large_arguments_is_finite():
    x = np.array([[1e4, 0.0, -1e4], [-1e4, -1e4, -1e4]])
    np.testing.assert_allclose(nn.softmax(x), [[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]])
    np.testing.assert_allclose(nn.log_softmax(x), [[0, -1e4, -2e4], [-math.log(3)] * 3])


@pytest.mark.parametrize("name", ["elu", "leaky_relu", "relu", "sigmoid", "silu", "softplus", "tanh"])
def test_activation_agrees_with_torch(name):
    torch = pytest.importorskip("torch")
    reference = getattr(torch.nn.functional, name) if name != "tanh" else torch.tanh
    np.testing.assert_allclose(find(name)(X), reference(torch.tensor(X)).numpy(), rtol=1e-7, atol=1e-12)


def test_gelu_agrees_with_the_tanh_form_of_torch():
    torch = pytest.importorskip("torch")
    expected = torch.nn.functional.gelu(torch.tensor(X), approximate="tanh").numpy()
    np.testing.assert_allclose(nn.gelu(X), expected, rtol=1e-12)


def test_find_takes_names_and_functions():
    assert find("relu") is nn.relu
    assert find(np.sin) is np.sin
    with pytest.raises(ArgumentError, match="no activation 'rellu'"):
        find("rellu")
