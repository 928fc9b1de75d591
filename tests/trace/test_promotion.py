"""Dtypes and broadcasting of traced values are NumPy 2's: Python numbers give way, everything else meets half-way."""

import numpy as np
import pytest

import gradgen as gg
from gradgen.errors import DTypeError, ShapeError
from gradgen.testing import interpret

VALUES = {
    "u8": np.array([200, 100, 3], np.uint8), "i32": np.array([2**31 - 1, 5, -7], np.int32), "i64": np.array([7, -7, 3]),
    "bool": np.array([True, False, True]), "f32": np.array([1.5, -2.5, 0.5], np.float32),
    "f64": np.array([1.5, -2.5, 0.5]), "int": 3, "float": 2.5, "True": True, "np.f32": np.float32(1.25),
    "np.i8": np.int8(3), "np.f64": np.float64(0.3),
}  # fmt: skip
OPERATIONS = {
    "+": lambda p, q: p + q, "-": lambda p, q: p - q, "*": lambda p, q: p * q, "/": lambda p, q: p / q,
    "//": lambda p, q: p // q, "%": lambda p, q: p % q, "**": lambda p, q: p**q, "<": lambda p, q: p < q,
    "==": lambda p, q: p == q, "maximum": np.maximum, "where": lambda p, q: np.where(p > q, p, q),
    "arctan2": np.arctan2, "float_power": np.float_power,
    "concatenate": lambda p, q: np.concatenate([np.expand_dims(p, 0), np.expand_dims(q, 0)], axis=None)
    if np.ndim(p) == np.ndim(q) == 1 else p + q,
}  # fmt: skip
NUMBERS = {"int", "float", "True"}  # among themselves they are Python's, and may be what they are not in NumPy


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("right", VALUES)
@pytest.mark.parametrize("left", VALUES)
def test_two_operands_meet_where_numpy_lets_them_meet(left, right):
    p, q = VALUES[left], VALUES[right]
    for name, operation in OPERATIONS.items():
        try:
            wanted = np.asarray(operation(p, q))
        except (TypeError, ValueError):
            continue
        if wanted.dtype == np.float16 or (left == right == "True"):
            continue
        traced = [(operation, (p, q)), (lambda p, f=operation: f(p, q), (p,)), (lambda q, f=operation: f(p, q), (q,))]
        for f, args in traced:
            found = interpret(f)(*args)
            assert np.asarray(found).dtype == wanted.dtype, name
            np.testing.assert_allclose(found, wanted, rtol=1e-6, err_msg=name)


def test_python_numbers_stay_weak_through_operators_and_settle_in_functions():
    single = np.ones(2, np.float32)
    assert interpret(lambda x, s: x * (s * 2 + 1))(single, 0.5).dtype == np.float32
    assert interpret(lambda x, s: x * np.sin(s))(single, 0.5).dtype == np.float64
    assert interpret(gg.grad(lambda s, x: np.sum(x * s)))(0.5, single).dtype == np.float64


def test_small_integers_wrap_around():
    x = np.array([200, 100], np.uint8)
    found = interpret(lambda x: (x + x) / 2)(x)
    np.testing.assert_array_equal(found, (x + x) / 2)


@pytest.mark.parametrize("shapes", [((3,), (4,)), ((2, 3), (2,)), ((0,), (2,)), ((2, 1, 3), (2, 4, 1, 2))], ids=str)
def test_shapes_that_do_not_broadcast_are_named(shapes):
    with pytest.raises(ShapeError, match=r"add: f64\[.*\], f64\[.*\]"):
        interpret(lambda x, y: x + y)(*map(np.ones, shapes))


@pytest.mark.parametrize("shapes", [((3,), ()), ((2, 1), (3,)), ((0, 1), (1, 4)), ((1, 1, 2), (5, 1, 1))], ids=str)
def test_shapes_broadcast_as_in_numpy(shapes):
    x, y = map(np.ones, shapes)
    assert interpret(lambda x, y: x * y)(x, y).shape == (x * y).shape


@pytest.mark.parametrize("other", ["text", 1j, np.ones(3, np.complex64), np.ones(3, np.float16), None], ids=repr)
def test_operands_that_are_no_numbers_are_refused(other):
    with pytest.raises((DTypeError, TypeError)):
        interpret(lambda x: np.add(x, other))(np.ones(3))


def test_a_negative_power_of_integers_is_refused():
    with pytest.raises(DTypeError, match="negative integer powers"):
        interpret(lambda x: x**-1)(np.arange(3))
