"""Powers of every pair of dtypes run: LLVM's shortcut for small integer exponents calls what nobody links."""

import numpy as np
import pytest

import gradgen as gg

pytestmark = [pytest.mark.numba, pytest.mark.filterwarnings("ignore::RuntimeWarning")]
BASES = {d: np.array([3, 2, 1, 5]).astype(d) for d in ("float64", "float32", "int64", "int32", "int16", "uint8")}
SMALL = ("int64", "int32", "int16", "int8", "uint8", "bool")
EXPONENTS = {d: np.array([2, 0, 3, 1]).astype(d) for d in ("float64", *SMALL)}


@pytest.fixture(scope="module")
def powers():
    compiled = gg.jit(lambda xs, ys: {a: {b: xs[a] ** ys[b] for b in ys} for a in xs})
    return compiled(BASES, EXPONENTS)


@pytest.mark.parametrize("exponent", EXPONENTS)
@pytest.mark.parametrize("base", BASES)
def test_arrays_to_the_power_of_arrays(powers, base, exponent):
    wanted = BASES[base] ** EXPONENTS[exponent]
    assert powers[base][exponent].dtype == wanted.dtype
    np.testing.assert_allclose(powers[base][exponent], wanted, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_arrays_to_the_power_of_numbers(dtype):
    x, exponents = np.array([0.0, 0.5, 2.0, -1.5], dtype), (2, 3, 5, -1, -3, 0, 1, 0.5, 2.5, 7.5, 100)
    found = gg.jit(lambda x: [x**n for n in exponents] + [2**x, 10.0**x])(x)
    for y, wanted in zip(found, [*(x**n for n in exponents), 2**x, 10.0**x], strict=True):
        assert y.dtype == wanted.dtype
        np.testing.assert_allclose(y, wanted, rtol=1e-5 if dtype == "float32" else 1e-12)
