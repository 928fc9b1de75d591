"""exp and expm1: a reduced argument, a polynomial, a power of two put together from bits.

in:  x, float32 or float64
out: exp(x), expm1(x)

The first two lines of each bring x into the range where the rest is right; nan passes both comparisons.
"""

import numpy as np

from gradgen.runtime.vecmath.intrinsics import bits32, bits64, estrin, float32_of, float64_of, horner, vectorisable
from gradgen.runtime.vecmath.reduction import (
    EXP_MAX_32, EXP_MAX_64, EXP_MIN_32, EXP_MIN_64, EXPM1_32, EXPM1_HIGH_64, EXPM1_LOW_64, FRACTION_BITS_32,
    FRACTION_BITS_64, LN2_HIGH_32, LN2_HIGH_64, LN2_LOW_32, LN2_LOW_64, LOG2E_32, LOG2E_64, NO_BITS, ONE_32, ONE_BIT,
    ROUND_32, ROUND_64, ROUND_TWICE_32, ROUND_TWICE_64, TWO_32,
)  # fmt: skip


@vectorisable
def exp32(x):
    """exp of a float32, within 1.1 ulp, through the denormals to 0.

    Source: Cody & Waite 1980; minimax polynomial of degree 6. Weak: a third slower than a version that flushes denormals.
    """
    x = EXP_MAX_32 if x > EXP_MAX_32 else x
    x = EXP_MIN_32 if x < EXP_MIN_32 else x
    shifted = x * LOG2E_32 + ROUND_TWICE_32
    n = shifted - ROUND_TWICE_32
    r = (x - n * LN2_HIGH_32) - n * LN2_LOW_32
    p = r + r * r * horner(r, EXPM1_32)
    # 2**n as 2**half * 2**(n - half): n from -150 to 128 is too wide for one exponent
    exponent = bits32(shifted)
    half = exponent >> ONE_BIT
    power = float32_of(half << FRACTION_BITS_32)
    return (power + power * p) * float32_of((exponent - half) << FRACTION_BITS_32)


@vectorisable
def exp64(x):
    """exp of a float64, within 1.8 ulp, through the denormals to 0.

    Source: Cody & Waite 1980; minimax polynomial of degree 11. The small part of n*ln2 goes into the power of two,
    which is known early: so one call after another waits no longer than for the C library's tables.
    Weak: taking it from r, 4 cycles later, would be within 1.3 ulp.
    """
    x = EXP_MAX_64 if x > EXP_MAX_64 else x
    x = EXP_MIN_64 if x < EXP_MIN_64 else x
    shifted = x * LOG2E_64 + ROUND_TWICE_64
    n = shifted - ROUND_TWICE_64
    r = x - n * LN2_HIGH_64
    rr = r * r
    p = (r + rr * estrin(r, EXPM1_LOW_64)) + rr * rr * rr * estrin(r, EXPM1_HIGH_64)
    exponent = bits64(shifted)
    half = exponent >> ONE_BIT
    power = float64_of(half << FRACTION_BITS_64)
    power = power - power * (n * LN2_LOW_64)
    return (power + power * p) * float64_of((exponent - half) << FRACTION_BITS_64)


EXPM1_MIN_32 = np.float32(-20.0)  # expm1 of it is -1
EXPM1_MIN_64 = -40.0
EXPM1_TOP_32 = np.float32(88.0)  # from here on n may be 128, whose power is no float
EXPM1_TOP_64 = 709.0
EXPM1_TINY_32 = np.float32(2.0**-25)  # below, expm1(x) rounds to x
EXPM1_TINY_64 = 2.0**-54


@vectorisable
def expm132(x):
    """expm1 of a float32, within 1.6 ulp, near 0 too; -0 for -0.

    Source: 2**n * p + (2**n - 1), p as in exp32 and of small relative error. Weak: half again the time of exp32.
    """
    z = EXP_MAX_32 if x > EXP_MAX_32 else x
    z = EXPM1_MIN_32 if z < EXPM1_MIN_32 else z
    shifted = z * LOG2E_32 + ROUND_32
    n = shifted - ROUND_32
    r = (z - n * LN2_HIGH_32) - n * LN2_LOW_32
    p = r + r * r * horner(r, EXPM1_32)
    top = z > EXPM1_TOP_32
    power = float32_of((bits32(shifted) - (ONE_BIT if top else NO_BITS)) << FRACTION_BITS_32)
    y = (power * p + (power - ONE_32)) * (TWO_32 if top else ONE_32)
    return x if abs(x) < EXPM1_TINY_32 else y  # -0 + 0 is 0


@vectorisable
def expm164(x):
    """expm1 of a float64, within 1.7 ulp, near 0 too; -0 for -0.

    Source: 2**n * p + (2**n - 1), p as in exp64 and of small relative error. Weak: errors of 1 ulp are common near ln2/2.
    """
    z = EXP_MAX_64 if x > EXP_MAX_64 else x
    z = EXPM1_MIN_64 if z < EXPM1_MIN_64 else z
    shifted = z * LOG2E_64 + ROUND_64
    n = shifted - ROUND_64
    r = (z - n * LN2_HIGH_64) - n * LN2_LOW_64
    rr = r * r
    p = (r + rr * estrin(r, EXPM1_LOW_64)) + rr * rr * rr * estrin(r, EXPM1_HIGH_64)
    top = z > EXPM1_TOP_64
    power = float64_of((bits64(shifted) - (ONE_BIT if top else NO_BITS)) << FRACTION_BITS_64)
    y = (power * p + (power - 1.0)) * (2.0 if top else 1.0)
    return x if abs(x) < EXPM1_TINY_64 else y
