"""What the elementary functions are made of and Numba lacks: their decorator, bit patterns, polynomials.

in:  scalars of exactly one dtype; anything else is a TypingError, since Numba would promote it in silence
out: straight LLVM instructions, with no call and no branch, which the loop vectoriser can widen

    exponent = bits64(x) >> _52        # uint64: with signed integers Numba would make float64 of it
    power = float64_of(exponent << _52)
"""

from __future__ import annotations

import numba
from numba.extending import intrinsic, register_jitable

# Each instruction keeps its own flags when it is inlined into a caller: `contract` alone lets no caller's `reassoc` undo
# x + big - big. `forceinline`, since a loop around a call is never vectorised. Not @njit: without wrappers, which are a
# quarter of the compile time, a call from Python would crash; so it raises NotImplementedError.
vectorisable = register_jitable(
    fastmath={"contract"}, error_model="numpy", forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True
)


@intrinsic
def bits32(typingctx, x):
    """The bits of a float32, as uint32."""
    if x != numba.types.float32:
        raise numba.core.errors.TypingError(f"float32 needed, got {x}")
    return numba.types.uint32(x), lambda context, builder, signature, args: builder.bitcast(
        args[0], context.get_value_type(signature.return_type)
    )
