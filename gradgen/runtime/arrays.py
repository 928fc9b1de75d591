"""Pieces of a workspace as arrays, and stacks that grow, for generated code.

Slicing and reshaping would do the same, at 20 ns a piece at run time (a reference count and a call of NumPy's reshape)
and more when compiling.
"""

import numpy as np
from llvmlite import ir
from numba import njit
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np import arrayobj


@intrinsic
def carve(typingctx, memory, start, shape):
    """A C-contiguous array of `shape` over the elements of `memory` from `start` on. Borrowed: memory outlives it."""
    several = isinstance(shape, types.BaseTuple)
    sizes = types.UniTuple(types.intp, len(shape)) if several else types.intp
    result = types.Array(memory.dtype, len(shape) if several else 1, "C")

    def build(context, builder, signature, args):
        source = arrayobj.make_array(signature.args[0])(context, builder, args[0])
        piece = arrayobj.make_array(result)(context, builder)
        numbers = cgutils.unpack_tuple(builder, args[2]) if several else [args[2]]
        itemsize = context.get_abi_sizeof(context.get_data_type(memory.dtype))
        stride, strides = context.get_constant(types.intp, itemsize), []  # type: ignore[var-annotated]
        for number in reversed(numbers):
            strides.insert(0, stride)
            stride = builder.mul(stride, number)
        arrayobj.populate_array(
            piece, builder.gep(source.data, [args[1]]), shape=numbers, strides=strides,
            itemsize=context.get_constant(types.intp, itemsize), meminfo=None,
        )  # fmt: skip
        return piece._getvalue()

    return result(memory, types.intp, sizes), build


@intrinsic
def opaque(typingctx, i):
    """i, of which LLVM knows nothing more: a loop's index, as its body is to see it.

    LLVM tests arrays for overlap before it vectorises a loop, and takes that test out of the loop around it: there it
    asks whether all rows that are written lie apart from all that are read. They don't where a step writes the next
    row of what it reads, and for rows in falling order it gives up. So the test stays inside, row by row.
    """

    def build(context, builder, signature, args):
        word = args[0].type
        return builder.asm(ir.FunctionType(word, [word]), "", "=r,0", [args[0]], False)

    return types.intp(types.intp), build


# Bytes for the stacks of one while loop. A system may promise memory that it does not have, and kill who uses it.
LIMIT = 1 << 33


@njit(nogil=True)
def emptied(stack):
    """A stack without rows, in place of one whose memory goes back."""
    return np.empty((0, *stack.shape[1:]), stack.dtype)


@njit(nogil=True)
def grown(stack, count):
    """A stack with twice the rows; with none, where there is no memory for it and `count` - 1 others like it."""
    more, shape = emptied(stack), (2 * stack.shape[0], *stack.shape[1:])
    if 2 * stack.size * stack.itemsize * count > LIMIT:
        return more
    try:
        more = np.empty(shape, stack.dtype)
    except Exception:
        more = emptied(stack)
    old, new = stack.reshape(-1), more.reshape(-1)
    for k in range(min(old.size, new.size)):  # a slice assignment would take seconds to compile
        new[k] = old[k]
    return more
