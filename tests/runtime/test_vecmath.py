import re

import numba
import numpy as np
import pytest
from llvmlite import binding

from gradgen.runtime import vecmath

pytestmark = pytest.mark.numba

needs_avx2 = pytest.mark.skipif(
    bool(numba.config.CPU_NAME) or not binding.get_host_cpu_features().get("avx2"), reason="not compiling for AVX2"
)
FLAGS = {"contract", "arcp", "nsz", "afn", "reassoc"}  # of the kernels that call these functions
BOUNDS = {
    "exp32": 1.1, "exp64": 2.1, "expm132": 1.7, "expm164": 3.3, "log32": 1.0, "log64": 1.0,
    "log1p32": 1.6, "log1p64": 1.6, "tanh32": 2.6, "tanh64": 3.2, "sigmoid32": 2.5, "sigmoid64": 2.5,
}  # fmt: skip
INF, NAN = np.inf, np.nan
SPECIAL = {  # pairs of x and y, to the last bit
    "exp": [(0, 1), (-0.0, 1), (INF, INF), (-INF, 0), (1e4, INF), (-1e4, 0)],
    "expm1": [(0, 0), (-0.0, -0.0), (INF, INF), (-INF, -1), (1e4, INF), (-1e4, -1)],
    "log": [(0, -INF), (-0.0, -INF), (1, 0), (INF, INF), (-INF, NAN), (-1, NAN), (-1e-38, NAN)],
    "log1p": [(0, 0), (-0.0, -0.0), (-1, -INF), (INF, INF), (-INF, NAN), (-1.5, NAN)],
    "tanh": [(0, 0), (-0.0, -0.0), (INF, 1), (-INF, -1), (1e4, 1), (-1e4, -1)],
    "sigmoid": [(0, 0.5), (-0.0, 0.5), (INF, 1), (-INF, 0), (1e4, 1), (-1e4, 0)],
}
_loops = {}

# integer powers are exact, and tested with the ops
ELEMENTARY = [name for name in vecmath.__all__ if not name.startswith("power")]


def loop_over(name):
    """A loop around one function, compiled once for all tests."""
    if name not in _loops:
        f = getattr(vecmath, name)
        array = numba.types.Array(numba.from_dtype(dtype_of(name)), 1, "C")

        @numba.njit(numba.void(array, array), fastmath=FLAGS, error_model="numpy")
        def loop(x, out):
            for i in range(x.size):
                out[i] = f(x[i])

        _loops[name] = loop
    return _loops[name]


def computed(name, x):
    out = np.empty_like(x)
    loop_over(name)(x, out)
    return out


def dtype_of(name):
    return np.dtype(np.float32 if name.endswith("32") else np.float64)


def exact(name, x):
    """The function by NumPy in a wider type, a thousand times as precise."""
    wide = np.float64 if x.dtype == np.float32 else np.longdouble
    if np.finfo(wide).eps > np.finfo(x.dtype).eps / 1000:
        pytest.skip("this platform has nothing wider than float64")
    with np.errstate(all="ignore"):  # some of the nans are signalling
        x = x.astype(wide)
        if name.startswith("sigmoid"):
            e = np.exp(-np.abs(x))
            return np.where(x < 0, e, 1) / (1 + e)
        return getattr(np, name[:-2])(x)


def samples(dtype, rng, size=40_000):
    """Any bit patterns, then what matters: near 0, near 1, midpoints of the reduction, the ends of the range."""
    info = np.finfo(dtype)
    patterns = rng.integers(0, 2**info.bits - 1, size, dtype=f"u{dtype.itemsize}", endpoint=True).view(dtype)
    spread = [rng.uniform(-s, s, size) for s in (1e-3, 0.1, 0.6, 1, 3, 10, 40, 120, 800)]
    powers = rng.choice([-1, 1], size) * np.exp2(rng.uniform(info.minexp - info.nmant, info.maxexp, size))
    midpoints = np.log(2) * (np.arange(-1100, 1100) + 0.5)
    near = 1 + np.arange(-40, 41) * float(info.eps)
    ends = [88.72284, 103.9721, 103.2789, 87.33655, 709.782712893384, 745.133219101941, 744.4400719, 708.3964185]
    edges = [info.tiny, info.smallest_subnormal, info.eps, info.max, 1, 1 - info.epsneg, 1 + info.eps, 0]
    parts = [*spread, powers, 1 + rng.uniform(-0.01, 0.01, size), np.outer(midpoints, near).ravel(),
             np.outer([*ends, *np.negative(ends)], near).ravel(), edges, np.negative(edges)]  # fmt: skip
    with np.errstate(over="ignore"):
        return np.concatenate([patterns, *(np.asarray(part).astype(dtype) for part in parts)])


@pytest.mark.parametrize("name", ELEMENTARY)
def test_result_is_within_the_documented_ulps_over_the_whole_range(name):
    x = samples(dtype_of(name), np.random.default_rng(7))
    y, expected = computed(name, x), exact(name, x)
    with np.errstate(all="ignore"):
        rounded = expected.astype(x.dtype)
    np.testing.assert_array_equal(np.isnan(y), np.isnan(rounded))
    finite = np.isfinite(rounded)
    np.testing.assert_array_equal(y[~finite], rounded[~finite])
    ulp = np.spacing(np.abs(rounded[finite])).astype(expected.dtype)
    error = np.abs(y[finite].astype(expected.dtype) - expected[finite]) / ulp
    assert error.max() <= BOUNDS[name], (x[finite][error.argmax()], error.max())


@pytest.mark.parametrize("name", ELEMENTARY)
def test_docstring_states_the_bound_that_is_tested(name):
    assert f"within {BOUNDS[name]:g} ulp" in getattr(vecmath, name).__doc__


@pytest.mark.parametrize("name", ELEMENTARY)
def test_special_values_are_exact(name):
    x, expected = np.array(SPECIAL[name[:-2]], dtype_of(name)).T.copy()
    y = computed(name, x)
    np.testing.assert_array_equal(y, expected)
    numbers = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(y[numbers]), np.signbit(expected[numbers]))


@pytest.mark.parametrize("name", ELEMENTARY)
def test_every_nan_gives_nan(name):
    patterns = (0x7F800001, 0x7FC00000, 0x7FC00155, 0xFFFFFFFF, 0xFF800001)
    if name.endswith("64"):
        patterns = (0x7FF0000000000001, 0x7FF8000000000000, 0x7FF8000000000555, 2**64 - 1, 0xFFF0000000000001)
    x = np.array(patterns, f"u{dtype_of(name).itemsize}").view(dtype_of(name))
    assert np.isnan(computed(name, x)).all()


@pytest.mark.parametrize("name", ["expm132", "expm164", "log1p32", "log1p64", "tanh32", "tanh64"])
def test_denormals_go_through_unchanged_where_the_slope_is_one(name):
    dtype = dtype_of(name)
    x = np.arange(-50, 50).astype(dtype) * np.finfo(dtype).smallest_subnormal
    np.testing.assert_array_equal(computed(name, x), x)


@pytest.mark.parametrize("name", ["exp32", "exp64", "sigmoid32", "sigmoid64"])
def test_results_fade_out_through_the_denormals(name):
    info = np.finfo(dtype_of(name))
    x = np.log([float(info.tiny) / 2**k for k in (3, 9, 15)]).astype(info.dtype)
    y = computed(name, x)
    assert ((y > 0) & (y < info.tiny)).all()


@pytest.mark.parametrize("name", ["tanh32", "tanh64"])
def test_tanh_is_odd_bit_by_bit_and_never_above_one(name):
    x = np.random.default_rng(3).uniform(-30, 30, 20_000).astype(dtype_of(name))
    y = computed(name, x)
    np.testing.assert_array_equal(y, -computed(name, -x))
    assert np.abs(y).max() == 1


@needs_avx2
@pytest.mark.parametrize("name", ELEMENTARY)
def test_llvm_vectorises_a_plain_loop(name):
    loop = loop_over(name)
    text = loop.inspect_llvm(loop.signatures[0])
    element = "float" if name.endswith("32") else "double"
    widths = [int(width) for width in re.findall(rf"fmul contract <(\d+) x {element}>", text)]
    assert widths
    assert max(widths) >= (8 if name.endswith("32") else 4)
    assert not re.search(
        r"^\s*(invoke|.*\bcall\b.*@(?!llvm\.|NRT_))", text.partition("define ")[2].partition("\n}")[0], re.M
    )


@needs_avx2
def test_several_calls_in_one_loop_are_all_vectorised():
    exp32, tanh32, log1p32 = vecmath.exp32, vecmath.tanh32, vecmath.log1p32

    @numba.njit(fastmath=FLAGS, error_model="numpy")
    def loop(x, out):
        for i in range(x.size):
            out[i] = exp32(tanh32(x[i])) + exp32(log1p32(x[i])) * tanh32(exp32(x[i]))

    x = np.linspace(-0.5, 0.5, 101, dtype=np.float32)
    out = np.empty_like(x)
    loop(x, out)
    np.testing.assert_allclose(out, np.exp(np.tanh(x)) + (1 + x) * np.tanh(np.exp(x)), rtol=2e-6)
    assert re.search(r"fdiv contract <(8|16) x float>", loop.inspect_llvm(loop.signatures[0]))


def test_flags_of_the_caller_do_not_reach_into_the_functions():
    expm164, log1p64 = vecmath.expm164, vecmath.log1p64

    @numba.njit(fastmath=True, error_model="numpy")
    def there_and_back(x):
        return log1p64(expm164(x * 0.5 + x * 0.5))

    for x in (1e-300, 1e-17, 1e-9, 0.25, -0.3, 300.0):
        assert there_and_back(x) == pytest.approx(x, rel=1e-15, abs=0)


@pytest.mark.parametrize("other", [numba.float64, numba.int64])
def test_functions_of_float32_refuse_what_numba_would_promote(other):
    tanh32 = vecmath.tanh32
    with pytest.raises(numba.TypingError, match="float32 is needed"):
        numba.njit(lambda x: tanh32(x)).compile((other,))


def test_a_call_from_python_raises():
    with pytest.raises(NotImplementedError):
        vecmath.exp64(1.0)
