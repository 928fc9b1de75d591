"""log and log1p: exponent and fraction taken apart as bits, a series in s = f / (2 + f).

in:  x, float32 or float64          x = 2**n * (1 + f),  sqrt(1/2) <= 1 + f < sqrt(2)
out: log(x), log1p(x)               log(x) = n*ln2 + log(1 + f),  log(1 + f) = 2*atanh(s) = f - s*f + s*z*q,  z = s*s

Subtracting the bits of sqrt(1/2), not those of 1, before the exponent is read puts 1 + f into this range. The method is
that of fdlibm (e_log.c, s_log1p.c, Sun 1993), without its branches, and with the rounding error of n*ln2 + f known
early (Dekker's Fast2Sum), so that little waits for the polynomial q.
"""

# Numba itself gives an intrinsic its first argument.
# mypy: disable-error-code="call-arg"
import numpy as np

from gradgen.runtime.vecmath.exponential import (
    FRACTION_BITS_32,
    FRACTION_BITS_64,
    LN2_HIGH_32,
    LN2_HIGH_64,
    LN2_LOW_32,
    LN2_LOW_64,
    ONE_32,
    TWO_32,
    ZERO_32,
)
from gradgen.runtime.vecmath.intrinsics import bits32, bits64, estrin, float32_of, float64_of, horner, vectorisable

# log(1 + f) = 2*s + s*z*(c0 + c1*z + ...): minimax, relative errors 2**-30.2 and 2**-59.5
LOG_32 = tuple(map(np.float32, (0.66666776, 0.39977556, 0.29871997)))
LOG_64 = (
    0.6666666666666735, 0.39999999999408653, 0.2857142874388169, 0.2222219840700061,
    0.18183573603622777, 0.15313796969005894, 0.14798647262278405,
)  # fmt: skip

ROOT_HALF_32 = np.uint64(0x3F3504F3)  # the bits of sqrt(1/2)
ROOT_HALF_64 = np.uint64(0x3FE6A09E667F3BCD)
ONE_LESS_ROOT_32 = np.uint64(0x3F800000 - 0x3F3504F3)  # added to the bits of x, it makes the upper ones n + bias
ONE_LESS_ROOT_64 = np.uint64(0x3FF0000000000000 - 0x3FE6A09E667F3BCD)
FRACTION_32 = np.uint64(0x007FFFFF)
FRACTION_64 = np.uint64(0x000FFFFFFFFFFFFF)

ONES_32 = np.uint64(0x4B000000)  # the bits of 2**23: with k in the lower bits, those of 2**23 + k
ONES_64 = np.uint64(0x4330000000000000)
ONES_BIAS_32 = np.float32(2**23 + 127)
ONES_BIAS_64 = 2.0**52 + 1023
ONES_BIAS_SMALL_32 = np.float32(2**23 + 127 + 24)  # for what was multiplied by 2**24
ONES_BIAS_SMALL_64 = 2.0**52 + 1023 + 54
TWICE_BIAS_32 = np.uint64(255)  # 2*bias + 1: less n + bias, it is the exponent of 2**(1 - n)
TWICE_BIAS_64 = np.uint64(2047)

NORMAL_32 = np.float32(2.0**-126)  # below are the denormals
NORMAL_64 = 2.0**-1022
RAISE_32 = np.float32(2.0**24)
RAISE_64 = 2.0**54
HALF_32 = np.float32(0.5)
INF_32 = np.float32(np.inf)
NAN_32 = np.float32(np.nan)
INF_64 = np.inf
NAN_64 = np.nan


@vectorisable
def log32(x):
    """The logarithm of a float32, within 1 ulp: -inf at 0, nan below.

    Source: fdlibm e_logf.c, changed as above. Weak: scalar code waits a third longer than for the C library.
    """
    # two comparisons: the result of one, used twice, would go through an integer register on AVX-512, for 8 cycles
    bits = bits32(x * RAISE_32 if x < NORMAL_32 else x) + ONE_LESS_ROOT_32
    n = float32_of((bits >> FRACTION_BITS_32) | ONES_32) - (ONES_BIAS_32 if x >= NORMAL_32 else ONES_BIAS_SMALL_32)
    f = float32_of((bits & FRACTION_32) + ROOT_HALF_32) - ONE_32
    s = f / (TWO_32 + f)
    z = s * s
    high = n * LN2_HIGH_32 + f
    low = (n * LN2_HIGH_32 - high) + f + n * LN2_LOW_32
    y = high + ((low - s * f) + s * z * horner(z, LOG_32))
    special = x if x > ZERO_32 else (-INF_32 if x == ZERO_32 else NAN_32)
    return y if (x > ZERO_32) & (x < INF_32) else special


@vectorisable
def log64(x):
    """The logarithm of a float64, within 1 ulp: -inf at 0, nan below.

    Source: fdlibm e_log.c, changed as above. Weak: scalar code waits a third longer than for the C library.
    """
    # two comparisons, as in log32
    bits = bits64(x * RAISE_64 if x < NORMAL_64 else x) + ONE_LESS_ROOT_64
    n = float64_of((bits >> FRACTION_BITS_64) | ONES_64) - (ONES_BIAS_64 if x >= NORMAL_64 else ONES_BIAS_SMALL_64)
    f = float64_of((bits & FRACTION_64) + ROOT_HALF_64) - 1.0
    s = f / (2.0 + f)
    z = s * s
    high = n * LN2_HIGH_64 + f
    low = (n * LN2_HIGH_64 - high) + f + n * LN2_LOW_64
    y = high + ((low - s * f) + s * z * estrin(z, LOG_64))
    special = x if x > 0.0 else (-INF_64 if x == 0.0 else NAN_64)
    return y if (x > 0.0) & (x < INF_64) else special


@vectorisable
def log1p32(x):
    """log(1 + x) of a float32, within 1.6 ulp, near 0 too: -inf at -1, nan below, -0 for -0.

    Source: log of the rounded sum, whose exact error (Knuth's TwoSum) is added to f. Weak: latency, as log32.
    """
    w = ONE_32 + x
    back = w - ONE_32
    lost = (x - back) + (ONE_32 - (w - back))
    bits = bits32(w) + ONE_LESS_ROOT_32
    exponent = bits >> FRACTION_BITS_32
    n = float32_of(exponent | ONES_32) - ONES_BIAS_32
    f = float32_of((bits & FRACTION_32) + ROOT_HALF_32) - ONE_32
    f = f + lost * float32_of((TWICE_BIAS_32 - exponent) << FRACTION_BITS_32) * HALF_32
    s = f / (TWO_32 + f)
    z = s * s
    high = n * LN2_HIGH_32 + f
    low = (n * LN2_HIGH_32 - high) + f + n * LN2_LOW_32
    y = high + ((low - s * f) + s * z * horner(z, LOG_32))
    special = x if x > -ONE_32 else (-INF_32 if x == -ONE_32 else NAN_32)
    return y if (x > -ONE_32) & (x < INF_32) & (x != ZERO_32) else special


@vectorisable
def log1p64(x):
    """log(1 + x) of a float64, within 1.6 ulp, near 0 too: -inf at -1, nan below, -0 for -0.

    Source: log of the rounded sum, whose exact error (Knuth's TwoSum) is added to f. Weak: latency, as log64.
    """
    w = 1.0 + x
    back = w - 1.0
    lost = (x - back) + (1.0 - (w - back))
    bits = bits64(w) + ONE_LESS_ROOT_64
    exponent = bits >> FRACTION_BITS_64
    n = float64_of(exponent | ONES_64) - ONES_BIAS_64
    f = float64_of((bits & FRACTION_64) + ROOT_HALF_64) - 1.0
    f = f + lost * float64_of((TWICE_BIAS_64 - exponent) << FRACTION_BITS_64) * 0.5
    s = f / (2.0 + f)
    z = s * s
    high = n * LN2_HIGH_64 + f
    low = (n * LN2_HIGH_64 - high) + f + n * LN2_LOW_64
    y = high + ((low - s * f) + s * z * estrin(z, LOG_64))
    special = x if x > -1.0 else (-INF_64 if x == -1.0 else NAN_64)
    return y if (x > -1.0) & (x < INF_64) & (x != 0.0) else special
