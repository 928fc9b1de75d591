"""Kernels are called past Numba's dispatcher; results survive later calls, also where memory is handed out again."""

import os
import subprocess
import sys

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


def frozen(x):
    x = x.copy()
    x.flags.writeable = False
    return x


def unaligned(x):
    memory = np.zeros(x.nbytes + 1, np.uint8)[1:].view(x.dtype)
    memory[:] = x
    return memory


def test_arrays_of_all_makes_run_in_one_compiled_function():
    f = gg.value_and_grad(lambda x: np.sum(x * x))
    x = np.arange(4.0)
    for make in (x, frozen(x), unaligned(x), np.repeat(x, 2)[::2], x.astype(">f8"), x):
        value, gradient = f(make)
        assert value == 14.0 and gradient.tolist() == [0.0, 2.0, 4.0, 6.0]
    assert len(f.kernel(x).into.signatures) == 1


def test_integers_beyond_int64_are_refused_and_do_not_wrap():
    double = gg.jit(lambda x: x + x)
    assert double(3) == 6
    with pytest.raises(OverflowError):
        double(1 << 64)
    assert double(4) == 8


def test_errors_of_a_kernel_arrive_and_leave_it_usable():
    f = gg.jit(lambda x, i: x[i] * 2.0)
    x = np.arange(3.0)
    for _ in range(3):
        with pytest.raises(IndexError, match="out of range"):
            f(x, 5)
        assert f(x, 2) == 4.0


PROGRAM = """
import sys, numpy as np, gradgen as gg
f, g = gg.grad(lambda x: np.sqrt(x * x + 1.0)), gg.value_and_grad(lambda x: np.sum(x ** 3))
for _ in range(2):
    assert f(0.0) == 0.0 and type(f(np.float64(0.0))) is np.float64
    value, gradient = g(np.ones(3))
    assert value == 3.0 and gradient.tolist() == [3.0] * 3
print(sum(sum(k.stats.cache_hits.values()) for k in (f.kernel(0.0).into, g.kernel(np.ones(3)).into)))
"""


def test_a_kernel_loaded_from_the_cache_is_called_alike(tmp_path):
    def run():
        environment = {**os.environ, "GRADGEN_CACHE_DIR": str(tmp_path)}
        return subprocess.run([sys.executable, "-c", PROGRAM], env=environment, check=True, capture_output=True)

    assert [int(run().stdout), int(run().stdout)] == [0, 2]
