"""Indexing of traced values: every kind of key gives what NumPy gives, and is refused where NumPy refuses it."""

import numpy as np
import pytest

import gradgen as gg
from gradgen.errors import GradgenError, UnsupportedError
from gradgen.testing import check_grads, interpret

X = np.arange(24.0).reshape(2, 3, 4)
I = np.array([0, 1, 1, 0])  # noqa: E741  an index
S = slice(None)
KEYS = {
    "int": 1, "negative int": -1, "np.int": np.int64(1), "tuple": (1, -2), "all axes": (1, 2, 3),
    "slice": slice(1, None), "steps": (S, slice(None, None, 2)), "backwards": (S, S, slice(None, None, -1)),
    "beyond": slice(-9, 9),
    "nothing": slice(2, 1), "backwards from nowhere": slice(-5, None, -1), "down to the first": (S, slice(1, None, -1)),
    "ellipsis": (..., 0), "ellipsis between": (0, ..., 1), "ellipsis of nothing": (0, 1, ..., 2), "empty": (),
    "new axis": None, "new axes": (None, S, None, 0), "array": I, "negative array": -1 - I, "list": [0, 1],
    "no rows": [],
    "second axis": (S, I), "last axis": (..., I), "two arrays": (I, I + 1), "two and a slice": (I, slice(1, 3), I),
    "arrays apart": (I, S, I), "int and array": (0, I), "int, slice, array": (0, S, I), "array and int": (I, 0),
    "array, slice, int": (I, S, 0), "new axis and array": (None, I), "arrays around a new axis": (I, None, I),
    "broadcast arrays": (I[:, None], I[:2]), "three arrays": (I, I, I), "array of no axes": np.array(1),
    "matrix of indices": np.array([[0, 1], [1, 0]]), "mask": np.array([True, False]),
    "mask of one axis": (S, np.array([True, False, True])), "mask of two axes": X[:, :, 0] > 5, "mask of all": X > 7,
    "mask and int": (0, np.array([True, False, True])), "list of bools": [True, False], "unsigned": I.astype(np.uint8),
}  # fmt: skip
REFUSED = {
    "too far": 2, "too far back": -3, "too many": (0, 0, 0, 0), "array too far": np.array([0, 2]),
    "pair too far": (np.array([0, 0]), np.array([0, 3])), "pair too far back": (np.array([0, 0]), np.array([0, -4])),
    "floats": np.array([0.0]), "float": 1.5, "text": "a", "mask of another size": np.array([True, False, True]),
}  # fmt: skip


@pytest.mark.parametrize("name", KEYS)
def test_a_key_finds_what_numpy_finds(name):
    key = KEYS[name]
    np.testing.assert_array_equal(interpret(lambda x: x[key])(X), X[key])
    check_grads(lambda x: x[key] ** 2, X / 10, order=1, compiled=False)


@pytest.mark.parametrize("name", REFUSED)
def test_a_key_that_numpy_refuses_is_refused(name):
    key = REFUSED[name]
    with pytest.raises(IndexError):
        X[key]
    with pytest.raises((IndexError, GradgenError)):
        interpret(lambda x: x[key])(X)


@pytest.mark.parametrize("index", [1, -1, np.array(0), I, I.astype(np.int8), -1 - I, np.array([], int)], ids=repr)
def test_traced_indices_find_what_numpy_finds(index):
    found = interpret(lambda x, i: (x[i], x[:, i], x[i, i], x[i, 0, i - 1]))(X, index)
    for a, b in zip(found, (X[index], X[:, index], X[index, index], X[index, 0, index - 1]), strict=True):
        np.testing.assert_array_equal(a, b)


def test_small_indices_reach_far():
    x, i = np.arange(400.0).reshape(20, 20), np.array([19, 15], np.int8)
    np.testing.assert_array_equal(interpret(lambda x, i: x[i, i])(x, i), x[i, i])


@pytest.mark.numba
def test_compiled_code_checks_traced_indices():
    f = gg.jit(lambda x, i, j: x[i, j])
    np.testing.assert_array_equal(f(X, I, -1 - I), X[I, -1 - I])
    for i, j in [([0, 2], [0, 0]), ([0, 0], [0, 3]), ([0, -3], [0, 0]), ([0, 0], [-4, 0])]:
        with pytest.raises(IndexError, match=r"test_indexing\.py"):
            f(X, np.array(i), np.array(j))


def test_a_traced_mask_has_no_size():
    with pytest.raises(UnsupportedError, match="mask"):
        interpret(lambda x: x[x > 0])(X)


def test_repeated_indices_add_their_gradients():
    gradient = interpret(gg.grad(lambda x: np.sum(x[np.array([0, 0, 1])] * np.array([1.0, 10.0, 100.0]))))
    np.testing.assert_array_equal(gradient(np.ones(3)), [11.0, 100.0, 0.0])
