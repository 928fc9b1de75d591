"""x ** y, kept from an approximation that LLVM knows and nobody defines.

in:  two scalars of one dtype, floats or integers of the width in the name
out: x ** y by the C library, for integers by repeated squaring; integers to negative powers are 1, -1 or 0

Where y is a small integer converted to a float, and the flags allow approximations (`afn`), LLVM writes a call of
__powisf2 or __powidf2. Numba does not link them, and the call jumps to address 0; Numba's own power of integers ends
there too. These functions are compiled without that flag, and an instruction keeps its flags when it is inlined.
"""

from gradgen.runtime.vecmath.intrinsics import vectorisable


@vectorisable
def power8(x, y):
    """x ** y of int8 or uint8."""
    return x**y


@vectorisable
def power16(x, y):
    """x ** y of int16 or uint16."""
    return x**y


@vectorisable
def power32(x, y):
    """x ** y of float32, int32 or uint32."""
    return x**y


@vectorisable
def power64(x, y):
    """x ** y of float64, int64 or uint64."""
    return x**y
