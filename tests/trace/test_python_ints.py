"""Python ints beside arrays whose dtype does not hold them: as NumPy, or an error, but never wrapped around."""

import numpy as np
import pytest

import gradgen as gg
from gradgen.errors import DTypeError
from tests import plain_python

SMALL, BYTES, WIDE = np.array([100, 2], np.int8), np.array([255, 1], np.uint8), np.array([2**63 - 1, 5])


def computed(f, x):
    found = plain_python.run(gg.jit(f).kernel(x), [x])
    wanted = f(x)
    for a, b in zip(found, wanted if isinstance(wanted, tuple) else (wanted,), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("x", [SMALL, BYTES, WIDE], ids=str)
@pytest.mark.parametrize("n", [-1, -129, 128, 256, 2**40, 2**63, -(2**63) - 1, 2**70])
def test_comparisons_are_numpys(x, n):
    computed(lambda x: (x == n, x != n, x < n, x <= n, n < x, n >= x), x)


def test_floats_take_any_int():
    computed(lambda x: (x > 2**70, x * 2**70, x + 2**63), np.array([1.0, 1e30]))


@pytest.mark.parametrize("f", [lambda x: x + 300, lambda x: 1000 * x, lambda x: np.maximum(x, -200)])
def test_arithmetic_out_of_bounds_is_refused_as_numpy_does(f):
    with pytest.raises(OverflowError):
        f(SMALL)
    with pytest.raises(DTypeError, match=r"out of bounds for i8(.|\n)*test_python_ints.py:(.|\n)*wider dtype"):
        gg.jit(f).graph(SMALL)


@pytest.mark.parametrize(
    "x", [np.ma.array([1.0, 2.0], mask=[0, 1]), np.ones((2, 2)).view(np.matrix)], ids=["masked", "matrix"]
)
def test_arrays_that_compute_otherwise_are_refused(x):
    for call in (lambda: gg.jit(np.sin).graph(x), lambda: gg.jit(lambda y: y * x).graph(1.0)):
        with pytest.raises(DTypeError, match="computes otherwise than an array"):
            call()
