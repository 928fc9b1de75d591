"""log and log1p"""

import numpy as np

from gradgen.runtime.vecmath.intrinsics import bits32, bits64, estrin, float32_of, float64_of, horner, vectorisable

_23 = np.uint64(23)
_52 = np.uint64(52)

_LOG_32 = tuple(map(np.float32, (0.66666776, 0.39977556, 0.29871997)))
_LOG_64 = (
    0.6666666666666735, 0.39999999999408653, 0.2857142874388169, 0.2222219840700061,
    0.18183573603622777, 0.15313796969005894, 0.14798647262278405,
)  # fmt: skip
_LN2_HIGH_32 = np.float32(0.693359375)  # 10 bits: n times it is exact
_LN2_LOW_32 = np.float32(-2.12194440e-4)
_LN2_HIGH_64 = 6.93147180369123816490e-01  # 33 bits
_LN2_LOW_64 = 1.90821492927058770002e-10
_ROOT_32 = np.uint64(0x3F3504F3)
_ROOT_64 = np.uint64(0x3FE6A09E667F3BCD)
_ONE_ROOT_32 = np.uint64(0x3F800000 - 0x3F3504F3)
_ONE_ROOT_64 = np.uint64(0x3FF0000000000000 - 0x3FE6A09E667F3BCD)
_FRACTION_32 = np.uint64(0x007FFFFF)
_FRACTION_64 = np.uint64(0x000FFFFFFFFFFFFF)
_ONES_32 = np.uint64(0x4B000000)
_ONES_64 = np.uint64(0x4330000000000000)
_BIAS_32 = np.float32(2**23 + 127)
_BIAS_64 = 2.0**52 + 1023
_BIAS_SMALL_32 = np.float32(2**23 + 127 + 24)
_BIAS_SMALL_64 = 2.0**52 + 1023 + 54
_0_32 = np.float32(0.0)
_HALF_32 = np.float32(0.5)
_1_32 = np.float32(1.0)
_2_32 = np.float32(2.0)
_INF_32 = np.float32(np.inf)
_NAN_32 = np.float32(np.nan)
_INF_64 = np.inf
_NAN_64 = np.nan
_MIN_32 = np.float32(2.0**-126)
_MIN_64 = 2.0**-1022
_UP_32 = np.float32(2.0**24)
_UP_64 = 2.0**54
_TWICE_BIAS_32 = np.uint64(255)
_TWICE_BIAS_64 = np.uint64(2047)

@vectorisable
def log32(x):
    small = x < _MIN_32
    u = bits32(x * (_UP_32 if small else _1_32)) + _ONE_ROOT_32
    n = float32_of((u >> _23) | _ONES_32) - (_BIAS_SMALL_32 if small else _BIAS_32)
    f = float32_of((u & _FRACTION_32) + _ROOT_32) - _1_32
    s = f / (_2_32 + f)
    z = s * s
    h = _HALF_32 * f * f
    y = n * _LN2_HIGH_32 - ((h - (s * (h + z * horner(z, _LOG_32)) + n * _LN2_LOW_32)) - f)
    special = x if x > _0_32 else (-_INF_32 if x == _0_32 else _NAN_32)
    return y if (x > _0_32) & (x < _INF_32) else special

@vectorisable
def log64(x):
    small = x < _MIN_64
    u = bits64(x * (_UP_64 if small else 1.0)) + _ONE_ROOT_64
    n = float64_of((u >> _52) | _ONES_64) - (_BIAS_SMALL_64 if small else _BIAS_64)
    f = float64_of((u & _FRACTION_64) + _ROOT_64) - 1.0
    s = f / (2.0 + f)
    z = s * s
    h = 0.5 * f * f
    y = n * _LN2_HIGH_64 - ((h - (s * (h + z * estrin(z, _LOG_64)) + n * _LN2_LOW_64)) - f)
    special = x if x > 0.0 else (-_INF_64 if x == 0.0 else _NAN_64)
    return y if (x > 0.0) & (x < _INF_64) else special

@vectorisable
def log1p32(x):
    w = _1_32 + x
    b = w - _1_32
    lost = (x - b) + (_1_32 - (w - b))
    u = bits32(w) + _ONE_ROOT_32
    e = u >> _23
    n = float32_of(e | _ONES_32) - _BIAS_32
    f = (float32_of((u & _FRACTION_32) + _ROOT_32) - _1_32) + _HALF_32 * lost * float32_of((_TWICE_BIAS_32 - e) << _23)
    s = f / (_2_32 + f)
    z = s * s
    h = _HALF_32 * f * f
    y = n * _LN2_HIGH_32 - ((h - (s * (h + z * horner(z, _LOG_32)) + n * _LN2_LOW_32)) - f)
    special = x if x > -_1_32 else (-_INF_32 if x == -_1_32 else _NAN_32)
    return y if (x > -_1_32) & (x < _INF_32) & (x != _0_32) else special

@vectorisable
def log1p64(x):
    w = 1.0 + x
    b = w - 1.0
    lost = (x - b) + (1.0 - (w - b))
    u = bits64(w) + _ONE_ROOT_64
    e = u >> _52
    n = float64_of(e | _ONES_64) - _BIAS_64
    f = (float64_of((u & _FRACTION_64) + _ROOT_64) - 1.0) + 0.5 * lost * float64_of((_TWICE_BIAS_64 - e) << _52)
    s = f / (2.0 + f)
    z = s * s
    h = 0.5 * f * f
    y = n * _LN2_HIGH_64 - ((h - (s * (h + z * estrin(z, _LOG_64)) + n * _LN2_LOW_64)) - f)
    special = x if x > -1.0 else (-_INF_64 if x == -1.0 else _NAN_64)
    return y if (x > -1.0) & (x < _INF_64) & (x != 0.0) else special
