"""tanh and sigmoid"""
import math
import numpy as np
from gradgen.runtime.vecmath.intrinsics import bits32, bits64, estrin, float32_of, float64_of, horner, vectorisable
from gradgen.runtime.vecmath.exponential import *
from gradgen.runtime.vecmath.exponential import _23,_52,_1,_EXPM1_32,_EXPM1_LOW_64,_EXPM1_HIGH_64,_LOG2E_32,_LN2_HIGH_32,_LN2_LOW_32,_LOG2E_64,_LN2_HIGH_64,_LN2_LOW_64,_ROUND_32,_ROUND_64,_ROUND_TWICE_32,_ROUND_TWICE_64,_0_32,_1_32,_2_32,_EXP_MIN_32,_EXP_MIN_64
_TANH_MAX_32=np.float32(-20.0)
_MINUS2=np.float32(-2.0)

@vectorisable
def tanh32(x):
    y = _MINUS2*abs(x)
    y = _TANH_MAX_32 if y < _TANH_MAX_32 else y
    shifted = y * _LOG2E_32 + _ROUND_32
    n = shifted - _ROUND_32
    r = (y - n * _LN2_HIGH_32) - n * _LN2_LOW_32
    p = r + r * r * horner(r, _EXPM1_32)
    power = float32_of(bits32(shifted) << _23)
    e = power * p + (power - _1_32)
    return math.copysign(e / (_2_32 + e), x)

@vectorisable
def tanh64(x):
    y = -2.0*abs(x)
    y = -40.0 if y < -40.0 else y
    shifted = y * _LOG2E_64 + _ROUND_64
    n = shifted - _ROUND_64
    r = y - n * _LN2_HIGH_64
    rr = r * r
    p = ((r - n * _LN2_LOW_64) + rr * estrin(r, _EXPM1_LOW_64)) + rr * rr * rr * estrin(r, _EXPM1_HIGH_64)
    power = float64_of(bits64(shifted) << _52)
    e = power * p + (power - 1.0)
    return math.copysign(e / (2.0 + e), x)

@vectorisable
def sigmoid32(x):
    y = -abs(x)
    y = _EXP_MIN_32 if y < _EXP_MIN_32 else y
    shifted = y * _LOG2E_32 + _ROUND_TWICE_32
    n = shifted - _ROUND_TWICE_32
    r = (y - n * _LN2_HIGH_32) - n * _LN2_LOW_32
    p = r + r * r * horner(r, _EXPM1_32)
    exponent = bits32(shifted)
    half = exponent >> _1
    power = float32_of(half << _23)
    e = (power + power * p) * float32_of((exponent - half) << _23)
    return (e if x < _0_32 else _1_32) / (_1_32 + e)

@vectorisable
def sigmoid64(x):
    y = -abs(x)
    y = _EXP_MIN_64 if y < _EXP_MIN_64 else y
    shifted = y * _LOG2E_64 + _ROUND_TWICE_64
    n = shifted - _ROUND_TWICE_64
    r = y - n * _LN2_HIGH_64
    rr = r * r
    p = ((r - n * _LN2_LOW_64) + rr * estrin(r, _EXPM1_LOW_64)) + rr * rr * rr * estrin(r, _EXPM1_HIGH_64)
    exponent = bits64(shifted)
    half = exponent >> _1
    power = float64_of(half << _52)
    e = (power + power * p) * float64_of((exponent - half) << _52)
    return (e if x < 0.0 else 1.0) / (1.0 + e)
