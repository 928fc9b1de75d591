"""Results survive later calls, also where their memory is handed out again."""

import numpy as np
import pytest

import gradgen as gg

pytestmark = pytest.mark.numba
BIG = 1 << 18


@gg.jit
def scaled(x, c):
    return x * c, x + c


def test_results_that_are_held_are_never_written_again():
    x = np.arange(float(BIG))
    held = [scaled(x, float(c)) for c in range(6)]
    for c, (product, total) in enumerate(held):
        assert product[3] == 3 * c and total[3] == 3 + c
    assert len({id(a) for pair in held for a in pair}) == 12


def test_a_view_holds_its_array():
    x = np.arange(float(BIG))
    views = [scaled(x, float(c))[0][2:5] for c in range(5)]
    assert [v.tolist() for v in views] == [[2.0 * c, 3.0 * c, 4.0 * c] for c in range(5)]


def test_memory_that_nobody_holds_is_used_again():
    x = np.arange(float(BIG))
    places = {scaled(x, float(c))[0].ctypes.data for c in range(20)}
    assert len(places) <= 3


def test_a_result_may_be_the_next_argument():
    x = np.ones(BIG)
    for _ in range(5):
        x, _ = scaled(x, 2.0)
    assert x[0] == x[-1] == 32.0
