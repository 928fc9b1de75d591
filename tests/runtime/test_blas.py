"""A product added by BLAS, called from compiled code as generated modules do, over layouts, dtypes and edges."""

import numpy as np
import pytest
from numba import njit

from gradgen.runtime.blas import add_matmul

pytestmark = pytest.mark.numba
RNG = np.random.default_rng(0)


@njit
def straight(out, a, b, scale):
    add_matmul(out, a, b, scale)


@njit
def left(out, a, b, scale):
    add_matmul(out, a.T, b, scale)


@njit
def right(out, a, b, scale):
    add_matmul(out, a, b.T, scale)


@njit
def both(out, a, b, scale):
    add_matmul(out, a.T, b.T, scale)


LAYOUTS = {straight: (0, 0), left: (1, 0), right: (0, 1), both: (1, 1)}


def added(call, m, k, n, dtype=np.float64, scale=-0.5, spoil=None):
    """(what the call makes of out, what it should be)."""
    out, a, b = (RNG.normal(size=shape).astype(dtype) for shape in ((m, n), (m, k), (k, n)))
    if spoil is not None:
        a.flat[0] = spoil
    with np.errstate(invalid="ignore"):
        wanted = out + dtype(scale) * (a @ b)
    flips = LAYOUTS[call]
    call(out, *(np.ascontiguousarray(x.T if flip else x) for x, flip in zip((a, b), flips, strict=True)), dtype(scale))
    return out, wanted


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("call", LAYOUTS, ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    "sizes", [(3, 4, 5), (1, 4, 5), (3, 1, 5), (3, 4, 1), (60, 400, 70), (0, 4, 5), (3, 0, 5), (3, 4, 0)]
)
def test_a_scaled_product_is_added(call, sizes, dtype):
    found, wanted = added(call, *sizes, dtype)
    np.testing.assert_allclose(found, wanted, rtol=1e-4 if dtype == np.float32 else 1e-12, atol=1e-4)


@pytest.mark.parametrize("call", LAYOUTS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("spoil", [np.nan, np.inf])
@pytest.mark.parametrize("scale", [0.0, -0.0, 1.0])
def test_nan_and_inf_get_through_any_factor(call, spoil, scale):
    found, wanted = added(call, 3, 4, 5, scale=scale, spoil=spoil)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
    np.testing.assert_allclose(found, wanted)


def test_a_factor_of_zero_adds_nothing_else():
    found, wanted = added(straight, 3, 4, 5, scale=0.0)
    np.testing.assert_array_equal(found, wanted)
