"""exp, expm1, tanh, sigmoid: a reduced argument, a polynomial, a power of two put together from bits.

in:  x, float32 or float64          x = n*ln2 + r,  n an integer,  |r| <= ln2/2
out: exp(x) = 2**n * (1 + p),  expm1(x) = 2**n * p + (2**n - 1),  where p = expm1(r)
     tanh(x) = -e / (2 + e), e = expm1(-2|x|), with the sign of x;  sigmoid(x) = (1 or e) / (1 + e), e = exp(-|x|)

n is found by adding a number so large that the last bit of the sum counts ones (Muller et al., Handbook of
Floating-Point Arithmetic, 2nd ed., chapter 11). The lower bits of the sum are then n and the bias of an exponent: moved
up, they are the float 2**n. ln2 comes in two parts, the first so short that n times it is exact (Cody & Waite 1980).
Every float32 number is typed: a bare literal is a float64, and would make all that it touches float64.
First each function brings x into the range where the rest is right; nan passes these comparisons.
"""

# Numba itself gives an intrinsic its first argument.
# mypy: disable-error-code="call-arg"
import math

import numpy as np

from gradgen.runtime.vecmath.intrinsics import bits32, bits64, estrin, float32_of, float64_of, horner, vectorisable

ONE_BIT = np.uint64(1)
NO_BITS = np.uint64(0)
FRACTION_BITS_32 = np.uint64(23)
FRACTION_BITS_64 = np.uint64(52)

ZERO_32 = np.float32(0.0)
ONE_32 = np.float32(1.0)
TWO_32 = np.float32(2.0)
MINUS_TWO_32 = np.float32(-2.0)

LOG2E_32 = np.float32(1.4426950408889634)
LOG2E_64 = 1.4426950408889634
LN2_HIGH_32 = np.float32(0.693359375)  # 9 bits
LN2_LOW_32 = np.float32(-2.12194440e-4)
LN2_HIGH_64 = 0.6931471805598903  # 42 bits
LN2_LOW_64 = 5.497923018708371e-14

ROUND_32 = np.float32(1.5 * 2**23 + 127)  # the sum's lower bits: n + bias
ROUND_64 = 1.5 * 2.0**52 + 1023
ROUND_TWICE_32 = np.float32(1.5 * 2**23 + 2 * 127)  # n + 2*bias, for two powers of two that share n
ROUND_TWICE_64 = 1.5 * 2.0**52 + 2 * 1023

EXP_MIN_32 = np.float32(-104.0)  # exp of it is 0
EXP_MIN_64 = -746.0
EXP_MAX_32 = np.float32(89.0)  # exp of it is inf
EXP_MAX_64 = 710.0
EXPM1_MIN_32 = np.float32(-20.0)  # expm1 of it is -1
EXPM1_MIN_64 = -40.0
EXPM1_TOP_32 = np.float32(88.0)  # from here on n may be 128, whose power is no float
EXPM1_TOP_64 = 709.0
EXPM1_TINY_32 = np.float32(2.0**-25)  # below, expm1(x) rounds to x
EXPM1_TINY_64 = 2.0**-54

# p = r + r*r*(c0 + c1*r + ...): minimax, relative errors 2**-26.1 and 2**-55.5
EXPM1_32 = tuple(map(np.float32, (0.49999997, 0.16666546, 0.041667435, 0.008366272, 0.0013870709)))
# the same in two parts, c0 to c3 and c4 to c9, which need not wait for one another
EXPM1_LOW_64 = (0.5000000000000006, 0.1666666666666661, 0.04166666666657362, 0.008333333333376155)
EXPM1_HIGH_64 = (
    0.0013888888932399293, 0.00019841269748203374, 2.480150439251578e-05,
    2.7557381200228046e-06, 2.7626358581250523e-07, 2.506220840489344e-08,
)  # fmt: skip


@vectorisable
def exp32(x):
    """The exponential of a float32, within 1.1 ulp, through the denormals to 0.

    Source: Cody & Waite 1980; minimax polynomial of degree 6. Weak: a tenth of the time goes into denormal results.
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
    """The exponential of a float64, within 2.1 ulp, through the denormals to 0.

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


@vectorisable
def expm132(x):
    """exp(x) - 1 of a float32, within 1.7 ulp, near 0 too; -0 for -0.

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
    """exp(x) - 1 of a float64, within 3.3 ulp, near 0 too; -0 for -0.

    Source: 2**n * p + (2**n - 1), p as in exp64 and of small relative error. Weak: the errors of
    p count double where the two terms nearly cancel, x from 0.35 to 0.5.
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


@vectorisable
def tanh32(x):
    """The hyperbolic tangent of a float32, within 2.6 ulp, near 0 too; odd bit by bit.

    Source: through expm1, as in fdlibm s_tanh.c. Weak: the errors of expm1, the sum and the quotient add up.
    """
    z = MINUS_TWO_32 * abs(x)
    z = EXPM1_MIN_32 if z < EXPM1_MIN_32 else z
    shifted = z * LOG2E_32 + ROUND_32
    n = shifted - ROUND_32
    r = (z - n * LN2_HIGH_32) - n * LN2_LOW_32
    p = r + r * r * horner(r, EXPM1_32)
    power = float32_of(bits32(shifted) << FRACTION_BITS_32)
    e = power * p + (power - ONE_32)
    return math.copysign(e / (TWO_32 + e), x)


@vectorisable
def tanh64(x):
    """The hyperbolic tangent of a float64, within 3.2 ulp, near 0 too; odd bit by bit.

    Source: through expm1, as in fdlibm s_tanh.c. Weak: the errors of expm1, the sum and the quotient add up.
    """
    z = -2.0 * abs(x)
    z = EXPM1_MIN_64 if z < EXPM1_MIN_64 else z
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
