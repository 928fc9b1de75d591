"""What every optimiser keeps: trees, dtypes, purity, identity, checks of its numbers."""

import inspect
import pickle
from typing import NamedTuple

import numpy as np
import optree
import pytest

from gradgen import optim
from gradgen.errors import ArgumentError, DTypeError

OPTIMISERS = [optim.gd, optim.momentum, optim.nesterov, optim.adagrad, optim.rmsprop, optim.adam, optim.adamw]
every = pytest.mark.parametrize("make", OPTIMISERS, ids=lambda make: make.__name__)


class Pair(NamedTuple):
    w: object
    b: object


def tree(dtype, value=1.0):
    layer = Pair(np.full((2, 3), value, dtype), np.full(3, value, dtype))
    return {"layers": [layer], "none": None, "scale": dtype(value)}


def dtypes(params):
    return [leaf.dtype for leaf in optree.tree_leaves(params)]


@every
@pytest.mark.parametrize("lr", [0.1, np.float64(0.1), optim.warmup(2, optim.cosine(0.1, 10))])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_trees_shapes_and_dtypes_stay(make, lr, dtype):
    optimizer, params = make(lr=lr), tree(dtype)
    state = first = optimizer.init(params)
    for _ in range(3):
        params, state = optimizer.update(tree(dtype, 0.5), state, params)
    assert optree.tree_structure(params) == optree.tree_structure(tree(dtype))
    assert optree.tree_structure(state) == optree.tree_structure(first)
    assert state["step"] == 3 and state["step"].dtype == np.float64
    assert set(dtypes([params, *(state[name] for name in optimizer.slots)])) == {np.dtype(dtype)}
    assert [np.shape(a) for a in optree.tree_leaves(params)] == [(2, 3), (3,), ()]


@every
def test_each_array_keeps_its_own_dtype(make):
    optimizer = make(lr=optim.exponential(0.1, 0.9))
    params = [np.ones(2, np.float32), np.ones(2, np.float64)]
    new, _ = optimizer.update([np.ones(2), np.ones(2)], optimizer.init(params), params)
    assert dtypes(new) == [np.float32, np.float64]
    np.testing.assert_allclose(new[0], new[1], rtol=1e-6)


@every
def test_nothing_is_changed_in_place(make):
    optimizer = make(lr=0.1)
    params, grads = tree(np.float64), tree(np.float64, 0.5)
    state = optimizer.init(params)
    for leaf in optree.tree_leaves([params, grads, state]):
        if leaf.ndim:
            leaf.flags.writeable = False
    once, twice = (optimizer.update(grads, state, params) for _ in range(2))
    for a, b in zip(optree.tree_leaves(once), optree.tree_leaves(twice), strict=True):
        np.testing.assert_array_equal(a, b)


@every
def test_a_number_is_a_tree_too(make):
    optimizer = make(lr=0.1)
    new, _ = optimizer.update(np.float64(1.0), optimizer.init(2.0), 2.0)
    assert np.shape(new) == () and new < 2.0


@every
def test_an_empty_tree_is_left_alone(make):
    optimizer = make(lr=0.1)
    params, state = optimizer.update({}, optimizer.init({}), {})
    assert params == {} and state["step"] == 1


@every
def test_rosenbrock_valley_is_descended(make):
    def gradient(w):
        x, y = w
        return np.array([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])

    rates = {optim.gd: 1e-3, optim.momentum: 2e-4, optim.nesterov: 2e-4, optim.adagrad: 0.5}
    optimizer, w = make(lr=rates.get(make, 1e-2)), np.zeros(2)
    state = optimizer.init(w)
    for _ in range(4000):
        w, state = optimizer.update(gradient(w), state, w)
    np.testing.assert_allclose(w, [1, 1], atol=0.15)


@every
def test_optimiser_is_hashable_comparable_and_pickles(make):
    optimizer = make(lr=optim.cosine(0.1, 10))
    assert optimizer == make(lr=optim.cosine(0.1, 10)) and optimizer != make(lr=optim.cosine(0.2, 10))
    assert hash(optimizer) == hash(make(lr=optim.cosine(0.1, 10)))
    assert pickle.loads(pickle.dumps(optimizer)) == optimizer


@every
def test_repr_says_how_to_make_it(make):
    assert eval(repr(make(lr=0.25)), vars(optim)) == make(lr=0.25)


@every
@pytest.mark.parametrize("lr", [-0.1, np.nan, np.inf, "fast", None])
def test_learning_rate_is_checked(make, lr):
    with pytest.raises(ArgumentError, match=f"{make.__name__}: lr must be"):
        make(lr=lr)


BOUNDS = {"beta": 1.0, "decay": 1.0, "b1": 1.0, "b2": 1.5, "eps": 0.0, "weight_decay": -1.0}


@pytest.mark.parametrize(
    "make, name", [(make, name) for make in OPTIMISERS for name in inspect.signature(make).parameters if name in BOUNDS]
)
def test_hyperparameters_are_checked(make, name):
    for value in (BOUNDS[name], -0.5, np.nan):
        with pytest.raises(ArgumentError, match=f"{make.__name__}: {name} must be"):
            make(**{name: value})


def test_parameters_must_be_floating_point():
    with pytest.raises(DTypeError, match="got int64"):
        optim.gd().init({"w": np.arange(3)})


def test_gradients_of_another_tree_are_refused():
    optimizer = optim.gd()
    params = {"w": np.ones(3)}
    with pytest.raises(ValueError, match="dictionary"):
        optimizer.update({"v": np.ones(3)}, optimizer.init(params), params)


def test_public_names_are_sorted_and_there():
    assert optim.__all__ == sorted(optim.__all__)
    assert all(callable(getattr(optim, name)) for name in optim.__all__)
