"""The matrix product that BLAS adds to a matrix which is there already: NumPy has no name for it."""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np import arrayobj
from numba.np.linalg import ensure_blas


def add_scaled(out, a, b, scale):
    """The same as loops, where BLAS takes a short cut: for a factor of 0 it leaves out the product, and the nan in it;
    matrices without elements it refuses."""
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            total = out.dtype.type(0)
            for k in range(b.shape[0]):
                total += a[i, k] * b[k, j]
            out[i, j] += scale * total


@intrinsic
def add_matmul(typingctx, out, a, b, scale):
    """out += scale * (a @ b), by xGEMM with beta = 1. `out` is C-contiguous, a and b are that or transposed.

    Source: Dongarra et al. 1990, A set of level 3 basic linear algebra subprograms. Numba has it as numba_xxgemm, for
    matrices by columns: so it is given out.T += scale * (b.T @ a.T).
    """
    ensure_blas()

    def build(context, builder, signature, args):
        byte, word = ir.IntType(8), context.get_value_type(types.intp)
        *matrices, factor = (
            arrayobj.make_array(kind)(context, builder, x) if isinstance(kind, types.Array) else x
            for kind, x in zip(signature.args, args, strict=True)
        )
        (m, n), (_, k), _ = shapes = [cgutils.unpack_tuple(builder, x.shape) for x in matrices]
        c_data, a_data, b_data = (builder.bitcast(x.data, byte.as_pointer()) for x in matrices)
        a_lead, b_lead = (shape[t.layout == "C"] for shape, t in zip(shapes[1:], (a, b), strict=True))
        a_flag, b_flag = (byte(ord("n" if t.layout == "C" else "t")) for t in (a, b))
        alpha, beta = (
            builder.bitcast(cgutils.alloca_once_value(builder, x), byte.as_pointer())
            for x in (factor, factor.type(1.0))
        )
        dtype = byte(ord("s" if scale.bitwidth == 32 else "d"))
        arguments = [dtype, b_flag, a_flag, n, m, k, alpha, b_data, b_lead, a_data, a_lead, beta, c_data, n]
        gemm = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.IntType(32), [x.type for x in arguments]), "numba_xxgemm"
        )
        zero = builder.fcmp_ordered("==", factor, factor.type(0.0))
        empty = builder.icmp_signed("==", builder.mul(builder.mul(m, n), k), word(0))
        with builder.if_else(builder.or_(zero, empty), likely=False) as (short, usual):
            with short:
                context.compile_internal(builder, add_scaled, types.none(*signature.args), args)
            with usual:
                builder.call(gemm, arguments)
        return context.get_dummy_value()

    return types.none(out, a, b, scale), build
