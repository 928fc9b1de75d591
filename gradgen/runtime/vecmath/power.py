"""x ** y, kept from an approximation that LLVM knows and nobody defines.

in:  two scalars of one dtype
out: x ** y by the C library

Where y is a small integer converted to a float, and the flags allow approximations (`afn`), LLVM writes a call of
__powisf2 or __powidf2. Numba does not link them, and the call jumps to address 0.
"""

from gradgen.runtime.vecmath.intrinsics import vectorisable


@vectorisable
def power32(x, y):
    """x ** y of float32."""
    return x**y


@vectorisable
def power64(x, y):
    """x ** y of float64."""
    return x**y
