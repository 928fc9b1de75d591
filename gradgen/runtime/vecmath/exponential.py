"""exp and expm1: range reduction to |r| <= ln(2)/2, a polynomial, and a power of two put together from bits.

in:  x, float32 or float64          x = n*ln2 + r,  n an integer        (Cody & Waite 1980: ln2 in two parts)
out: exp(x), expm1(x)               exp(x) = 2**n * (1 + p(r)),  p(r) = expm1(r)

n is found by adding a number so large that the sum's last bit counts ones: then the sum's lower bits are n, in the
form that the exponent of a float wants (Muller et al., Handbook of Floating-Point Arithmetic, 2nd ed., 11.1).
"""

import numpy as np

from gradgen.runtime.vecmath.intrinsics import bits32, bits64, estrin, float32_of, float64_of, horner, vectorisable

_1 = np.uint64(1)
_23 = np.uint64(23)
_52 = np.uint64(52)

# p(r) = r + r*r*(c0 + c1*r + ...), minimax for the relative error of expm1: 2**-26.1 and 2**-55.5
_EXPM1_32 = tuple(map(np.float32, (0.49999997, 0.16666546, 0.041667435, 0.008366272, 0.0013870708)))
_EXPM1_LOW_64 = (0.5000000000000006, 0.1666666666666661, 0.04166666666657362, 0.008333333333376155)
_EXPM1_HIGH_64 = (
    0.0013888888932399293, 0.00019841269748203374, 2.480150439251578e-05,
    2.7557381200228046e-06, 2.7626358581250523e-07, 2.506220840489344e-08,
)  # fmt: skip

_LOG2E_32 = np.float32(1.4426950408889634)
_LN2_HIGH_32 = np.float32(0.693359375)  # 10 bits: n times it is exact
_LN2_LOW_32 = np.float32(-2.12194440e-4)
_LOG2E_64 = 1.4426950408889634
_LN2_HIGH_64 = 6.93147180369123816490e-01  # 33 bits
_LN2_LOW_64 = 1.90821492927058770002e-10

# 1.5*2**23 rounds to ones; the lower bits of the sum are n + 127, or n + 2*127 where two powers share n
_ROUND_32 = np.float32(1.5 * 2**23 + 127)
_ROUND_TWICE_32 = np.float32(1.5 * 2**23 + 2 * 127)
_ROUND_64 = 1.5 * 2.0**52 + 1023
_ROUND_TWICE_64 = 1.5 * 2.0**52 + 2 * 1023

_0_32 = np.float32(0.0)
_1_32 = np.float32(1.0)
_2_32 = np.float32(2.0)
_EXP_MIN_32 = np.float32(-104.0)  # exp of it is 0, of _EXP_MAX_32 inf
_EXP_MAX_32 = np.float32(89.0)
_EXP_MIN_64 = -746.0
_EXP_MAX_64 = 710.0


@vectorisable
def exp32(x):
    x = _EXP_MAX_32 if x > _EXP_MAX_32 else x  # nan passes
    x = _EXP_MIN_32 if x < _EXP_MIN_32 else x
    shifted = x * _LOG2E_32 + _ROUND_TWICE_32
    n = shifted - _ROUND_TWICE_32
    r = (x - n * _LN2_HIGH_32) - n * _LN2_LOW_32
    p = r + r * r * horner(r, _EXPM1_32)
    # 2**n = 2**half * 2**(n - half), since from -150 to 128 is too wide for one exponent
    exponent = bits32(shifted)
    half = exponent >> _1
    power = float32_of(half << _23)
    return (power + power * p) * float32_of((exponent - half) << _23)


@vectorisable
def exp64(x):
    x = _EXP_MAX_64 if x > _EXP_MAX_64 else x
    x = _EXP_MIN_64 if x < _EXP_MIN_64 else x
    shifted = x * _LOG2E_64 + _ROUND_TWICE_64
    n = shifted - _ROUND_TWICE_64
    r = x - n * _LN2_HIGH_64
    rr = r * r
    p = ((r - n * _LN2_LOW_64) + rr * estrin(r, _EXPM1_LOW_64)) + rr * rr * rr * estrin(r, _EXPM1_HIGH_64)
    exponent = bits64(shifted)
    half = exponent >> _1
    power = float64_of(half << _52)
    return (power + power * p) * float64_of((exponent - half) << _52)


_EXPM1_MIN_32 = np.float32(-20.0)
_EXPM1_TOP_32 = np.float32(88.0)
_TINY_32 = np.float32(2.0**-25)
_EXPM1_MIN_64 = -40.0
_EXPM1_TOP_64 = 709.0
_TINY_64 = 2.0**-54
_0 = np.uint64(0)


@vectorisable
def expm132(x):
    y = _EXP_MAX_32 if x > _EXP_MAX_32 else x
    y = _EXPM1_MIN_32 if y < _EXPM1_MIN_32 else y
    shifted = y * _LOG2E_32 + _ROUND_32
    n = shifted - _ROUND_32
    r = (y - n * _LN2_HIGH_32) - n * _LN2_LOW_32
    p = r + r * r * horner(r, _EXPM1_32)
    top = y > _EXPM1_TOP_32
    power = float32_of((bits32(shifted) - (_1 if top else _0)) << _23)
    y = (power * p + (power - _1_32)) * (_2_32 if top else _1_32)
    return x if abs(x) < _TINY_32 else y


@vectorisable
def expm164(x):
    y = _EXP_MAX_64 if x > _EXP_MAX_64 else x
    y = _EXPM1_MIN_64 if y < _EXPM1_MIN_64 else y
    shifted = y * _LOG2E_64 + _ROUND_64
    n = shifted - _ROUND_64
    r = y - n * _LN2_HIGH_64
    rr = r * r
    p = ((r - n * _LN2_LOW_64) + rr * estrin(r, _EXPM1_LOW_64)) + rr * rr * rr * estrin(r, _EXPM1_HIGH_64)
    top = y > _EXPM1_TOP_64
    power = float64_of((bits64(shifted) - (_1 if top else _0)) << _52)
    y = (power * p + (power - 1.0)) * (2.0 if top else 1.0)
    return x if abs(x) < _TINY_64 else y
