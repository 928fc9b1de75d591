"""The multilayer perceptron: shapes, values by hand, choice of initialiser, identity as a static argument."""

import numpy as np
import pytest

from gradgen import nn
from gradgen.errors import ArgumentError, DTypeError

X = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)


def test_params_are_one_weight_and_bias_per_layer():
    params = nn.MLP((3, 8, 2)).init(seed=0)
    assert [(layer["w"].shape, layer["b"].shape) for layer in params] == [((3, 8), (8,)), ((8, 2), (2,))]
    assert all(a.dtype == np.float32 for layer in params for a in layer.values())
    assert all(not layer["b"].any() for layer in params)


def test_layers_are_affine_maps_and_activations():
    model = nn.MLP((3, 4, 4, 2), activation="tanh", output="softmax")
    params = model.init(1, np.float64)
    for layer in params:
        layer["b"] = np.random.default_rng(2).normal(size=layer["b"].shape)
    (a, b, c), x = params, X.astype(np.float64)
    hidden = np.tanh(np.tanh(x @ a["w"] + a["b"]) @ b["w"] + b["b"])
    powers = np.exp(hidden @ c["w"] + c["b"])
    np.testing.assert_allclose(model(params, x), powers / powers.sum(axis=1, keepdims=True), rtol=1e-13)


@pytest.mark.parametrize("shape", [(3,), (1, 3), (2, 7, 3)])
def test_inputs_have_any_number_of_leading_axes(shape):
    model = nn.MLP((3, 4, 2))
    out = model(model.init(0), np.ones(shape, np.float32))
    assert out.shape == (*shape[:-1], 2) and out.dtype == np.float32


def test_a_maxout_layer_has_columns_for_every_piece():
    model = nn.MLP((3, 4, 2), activation="maxout", pieces=5)
    params = model.init(0)
    assert params[0]["w"].shape == (3, 20) and params[0]["b"].shape == (20,) and params[1]["w"].shape == (4, 2)
    z = X @ params[0]["w"]
    by_hand = np.max([z[:, 4 * p : 4 * p + 4] for p in range(5)], axis=0) @ params[1]["w"]
    np.testing.assert_allclose(model(params, X), by_hand, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "name, variance", [("relu", 2 / 300), ("gelu", 2 / 300), ("tanh", 2 / 500), ("maxout", 2 / 500)]
)
def test_initialiser_follows_the_activation(name, variance):
    first, last = nn.MLP((300, 200, 100), activation=name).init(0)
    assert first["w"].var() == pytest.approx(variance, rel=0.02)
    assert last["w"].var() == pytest.approx(2 / 300, rel=0.03)  # xavier before the identity: 200 + 100


def test_initialiser_can_be_chosen():
    named = nn.MLP((6, 6), initialiser="orthogonal").init(0, np.float64)[0]["w"]
    np.testing.assert_allclose(named @ named.T, np.eye(6), atol=1e-14)
    given = nn.MLP((6, 6), initialiser=lambda rng, shape, dtype: np.full(shape, 2, dtype)).init(0)[0]["w"]
    assert (given == 2).all()


def test_seed_decides_the_parameters():
    model = nn.MLP((3, 4, 2))
    same, also, other = model.init(5), model.init(np.random.default_rng(5)), model.init(6)
    np.testing.assert_array_equal(same[0]["w"], also[0]["w"])
    assert (same[0]["w"] != other[0]["w"]).any()
    np.testing.assert_array_equal(model.init(5, np.float64)[1]["w"].astype(np.float32), same[1]["w"])


def test_model_is_hashable_and_comparable():
    assert nn.MLP([3, np.int64(4), 2]) == nn.MLP((3, 4, 2))
    assert hash(nn.MLP([3, 4, 2])) == hash(nn.MLP((3, 4, 2)))
    assert nn.MLP((3, 4, 2)) != nn.MLP((3, 4, 2), activation="tanh")


def test_repr_says_how_to_make_it():
    assert repr(nn.MLP((3, 4, 2))) == "MLP((3, 4, 2), activation='relu', output='identity')"
    full = nn.MLP((3, 4), activation=nn.gelu, pieces=3, initialiser="he")
    assert repr(full) == "MLP((3, 4), activation=gelu, output='identity', pieces=3, initialiser='he')"


@pytest.mark.parametrize("sizes", [(), (3,), (3, 0, 2), (3, -1)])
def test_sizes_must_make_a_network(sizes):
    with pytest.raises(ArgumentError, match="sizes must be two or more positive ints"):
        nn.MLP(sizes)


def test_names_and_dtypes_are_checked():
    with pytest.raises(ArgumentError, match="no activation"):
        nn.MLP((3, 2), activation="sinus")
    with pytest.raises(ArgumentError, match="no activation"):
        nn.MLP((3, 2), output="linear")
    with pytest.raises(ArgumentError, match="no initialiser"):
        nn.MLP((3, 2), initialiser="zeros")
    with pytest.raises(ArgumentError, match="two pieces"):
        nn.MLP((3, 2), pieces=1)
    with pytest.raises(DTypeError, match="not int64"):
        nn.MLP((3, 2)).init(0, np.int64)


def test_parameters_of_another_depth_are_refused():
    with pytest.raises(ArgumentError, match="has 2 layers, the parameters have 1"):
        nn.MLP((3, 4, 2))(nn.MLP((3, 2)).init(0), X)


def test_public_names_are_sorted_and_there():
    assert nn.__all__ == sorted(nn.__all__)
    assert all(callable(getattr(nn, name)) for name in nn.__all__)
