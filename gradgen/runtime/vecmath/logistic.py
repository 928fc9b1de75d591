"""tanh and sigmoid: quotients of exponentials of -|x|, which can't overflow.

in:  x, float32 or float64
out: tanh(x) = -e / (2 + e), e = expm1(-2|x|), with the sign of x;  sigmoid(x) = (1 or e) / (1 + e), e = exp(-|x|)

The exponentials are those of exponential.py without what a negative argument makes needless; nan passes.
"""

import math

import numpy as np

from gradgen.runtime.vecmath.intrinsics import bits32, bits64, estrin, float32_of, float64_of, horner, vectorisable
from gradgen.runtime.vecmath.reduction import (
    EXP_MIN_32, EXP_MIN_64, EXPM1_32, EXPM1_HIGH_64, EXPM1_LOW_64, FRACTION_BITS_32, FRACTION_BITS_64, LN2_HIGH_32,
    LN2_HIGH_64, LN2_LOW_32, LN2_LOW_64, LOG2E_32, LOG2E_64, ONE_32, ONE_BIT, ROUND_32, ROUND_64, ROUND_TWICE_32,
    ROUND_TWICE_64, TWO_32, ZERO_32,
)  # fmt: skip

MINUS_TWO_32 = np.float32(-2.0)
TANH_MIN_32 = np.float32(-20.0)  # expm1 of it is -1
TANH_MIN_64 = -40.0


@vectorisable
def tanh32(x):
    """tanh of a float32, within 2.6 ulp, near 0 too; odd bit by bit.

    Source: through expm1, as in fdlibm s_tanh.c. Weak: the errors of expm1, the sum and the quotient add up.
    """
    z = MINUS_TWO_32 * abs(x)
    z = TANH_MIN_32 if z < TANH_MIN_32 else z
    shifted = z * LOG2E_32 + ROUND_32
    n = shifted - ROUND_32
    r = (z - n * LN2_HIGH_32) - n * LN2_LOW_32
    p = r + r * r * horner(r, EXPM1_32)
    power = float32_of(bits32(shifted) << FRACTION_BITS_32)
    e = power * p + (power - ONE_32)
    return math.copysign(e / (TWO_32 + e), x)


@vectorisable
def tanh64(x):
    """tanh of a float64, within 2.6 ulp, near 0 too; odd bit by bit.

    Source: through expm1, as in fdlibm s_tanh.c. Weak: the errors of expm1, the sum and the quotient add up.
    """
    z = -2.0 * abs(x)
    z = TANH_MIN_64 if z < TANH_MIN_64 else z
    shifted = z * LOG2E_64 + ROUND_64
    n = shifted - ROUND_64
    r = (z - n * LN2_HIGH_64) - n * LN2_LOW_64
    rr = r * r
    p = (r + rr * estrin(r, EXPM1_LOW_64)) + rr * rr * rr * estrin(r, EXPM1_HIGH_64)
    power = float64_of(bits64(shifted) << FRACTION_BITS_64)
    e = power * p + (power - 1.0)
    return math.copysign(e / (2.0 + e), x)


@vectorisable
def sigmoid32(x):
    """1 / (1 + exp(-x)) of a float32, within 2.5 ulp; for large negative x through the denormals to 0.

    Source: the logistic function by exp(-|x|). Weak: sigmoid(x) + sigmoid(-x) may miss 1 by an ulp.
    """
    z = -abs(x)
    z = EXP_MIN_32 if z < EXP_MIN_32 else z
    shifted = z * LOG2E_32 + ROUND_TWICE_32
    n = shifted - ROUND_TWICE_32
    r = (z - n * LN2_HIGH_32) - n * LN2_LOW_32
    p = r + r * r * horner(r, EXPM1_32)
    exponent = bits32(shifted)
    half = exponent >> ONE_BIT
    power = float32_of(half << FRACTION_BITS_32)
    e = (power + power * p) * float32_of((exponent - half) << FRACTION_BITS_32)
    return (e if x < ZERO_32 else ONE_32) / (ONE_32 + e)


@vectorisable
def sigmoid64(x):
    """1 / (1 + exp(-x)) of a float64, within 2.5 ulp; for large negative x through the denormals to 0.

    Source: the logistic function by exp(-|x|). Weak: sigmoid(x) + sigmoid(-x) may miss 1 by an ulp.
    """
    z = -abs(x)
    z = EXP_MIN_64 if z < EXP_MIN_64 else z
    shifted = z * LOG2E_64 + ROUND_TWICE_64
    n = shifted - ROUND_TWICE_64
    r = (z - n * LN2_HIGH_64) - n * LN2_LOW_64
    rr = r * r
    p = (r + rr * estrin(r, EXPM1_LOW_64)) + rr * rr * rr * estrin(r, EXPM1_HIGH_64)
    exponent = bits64(shifted)
    half = exponent >> ONE_BIT
    power = float64_of(half << FRACTION_BITS_64)
    e = (power + power * p) * float64_of((exponent - half) << FRACTION_BITS_64)
    return (e if x < 0.0 else 1.0) / (1.0 + e)
