"""What the elementary functions are made of and Numba lacks: their decorator, bit patterns, polynomials.

in:  scalars; bits32 and bits64 refuse another dtype, to which Numba would have promoted all in silence
out: straight LLVM instructions, no call and no branch, which the loop vectoriser can widen

    power = float64_of(bits64(t) << np.uint64(52))     # all unsigned: of int64 and uint64 Numba makes a float64
"""

# ruff: noqa: ARG005  Numba tells intrinsics more than they need
import numba.extending

# `contract` alone: an instruction keeps its flags when it is inlined, so no caller's `reassoc` cancels t + big - big.
# `forceinline`: a loop around a call is not vectorised. Without the wrappers, a quarter of the compile time, calling an
# @njit function from Python would crash the process; this one raises NotImplementedError.
vectorisable = numba.extending.register_jitable(
    fastmath={"contract"}, error_model="numpy", forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True
)


@numba.extending.intrinsic
def bits32(typingctx, x):
    """The bits of a float32 as a uint32."""
    if x != numba.types.float32:
        raise numba.core.errors.TypingError(f"float32 is needed, not {x}")
    return numba.types.uint32(x), lambda context, builder, signature, args: builder.bitcast(
        args[0], context.get_value_type(numba.types.uint32)
    )


@numba.extending.intrinsic
def bits64(typingctx, x):
    """The bits of a float64 as a uint64."""
    if x != numba.types.float64:
        raise numba.core.errors.TypingError(f"float64 is needed, not {x}")
    return numba.types.uint64(x), lambda context, builder, signature, args: builder.bitcast(
        args[0], context.get_value_type(numba.types.uint64)
    )


@numba.extending.intrinsic
def float32_of(typingctx, bits):
    """The float32 that has the lower 32 bits of a uint64: Numba computes with uint32 in 64 bits, LLVM undoes that."""

    def build(context, builder, signature, args):
        lower = builder.trunc(args[0], context.get_value_type(numba.types.uint32))
        return builder.bitcast(lower, context.get_value_type(numba.types.float32))

    return numba.types.float32(numba.types.uint64), build


@numba.extending.intrinsic
def float64_of(typingctx, bits):
    """The float64 that has the bits of a uint64."""
    return numba.types.float64(numba.types.uint64), lambda context, builder, signature, args: builder.bitcast(
        args[0], context.get_value_type(numba.types.float64)
    )


@numba.extending.intrinsic
def horner(typingctx, x, coefficients):
    """c[0] + c[1]*x + c[2]*x*x + ..., the fewest operations: for float32, where loops count."""

    def build(context, builder, signature, args):
        total, *rest = [builder.extract_value(args[1], i) for i in reversed(range(len(coefficients)))]
        for c in rest:
            total = builder.fadd(builder.fmul(total, args[0]), c)
        return total

    return x(x, numba.types.UniTuple(x, len(coefficients))), build


@numba.extending.intrinsic
def estrin(typingctx, x, coefficients):
    """c[0] + c[1]*x + c[2]*x*x + ..., in pairs, pairs of pairs, ...: the shortest wait, for scalar code."""

    def build(context, builder, signature, args):
        power, terms = args[0], [builder.extract_value(args[1], i) for i in range(len(coefficients))]
        while len(terms) > 1:
            pairs = zip(terms[::2], terms[1::2], strict=False)
            odd = terms[-1:] if len(terms) % 2 else []
            terms = [builder.fadd(low, builder.fmul(high, power)) for low, high in pairs] + odd
            power = builder.fmul(power, power)
        return terms[0]

    return x(x, numba.types.UniTuple(x, len(coefficients))), build
