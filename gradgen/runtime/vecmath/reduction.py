"""The numbers by which exp, expm1, tanh and sigmoid bring x near 0.

    x = n*ln2 + r,  n an integer,  |r| <= ln2/2          exp(x) = 2**n * (1 + p),  p = expm1(r)

n is found by adding a number so large that the last bit of the sum counts ones (Muller et al., Handbook of
Floating-Point Arithmetic, 2nd ed., chapter 11). The lower bits of the sum are then n and the bias of an exponent: moved
up, they are the float 2**n. ln2 comes in two parts, the first so short that n times it is exact (Cody & Waite 1980).
Every float32 number is typed: a bare literal is a float64, and would make all that it touches float64.
"""

import numpy as np

ONE_BIT = np.uint64(1)
NO_BITS = np.uint64(0)
FRACTION_BITS_32 = np.uint64(23)
FRACTION_BITS_64 = np.uint64(52)

ZERO_32 = np.float32(0.0)
ONE_32 = np.float32(1.0)
TWO_32 = np.float32(2.0)

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

# p = r + r*r*(c0 + c1*r + ...): minimax, |error of p| < 2**-26.1 |p| and 2**-55.5 |p|
EXPM1_32 = tuple(map(np.float32, (0.49999997, 0.16666546, 0.041667435, 0.008366272, 0.0013870709)))
EXPM1_LOW_64 = (0.5000000000000006, 0.1666666666666661, 0.04166666666657362, 0.008333333333376155)
EXPM1_HIGH_64 = (
    0.0013888888932399293, 0.00019841269748203374, 2.480150439251578e-05,
    2.7557381200228046e-06, 2.7626358581250523e-07, 2.506220840489344e-08,
)  # fmt: skip
