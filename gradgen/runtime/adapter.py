"""Between what a user's @njit function passes and what a kernel takes.

in:  a kernel over flat leaves, and the Numba types of the arguments of a call
out: a dispatcher for exactly these types: the kernel itself where nothing is to be done, else a line of code before it

    call(x, p):  array(float64, 2d, F), Tuple(array(float64, 1d, C, readonly), float64)
    return kernel(x.copy(), plain(p[0]), p[1])

So a kernel is compiled once for each dtype and rank, for C-contiguous arrays, whatever is passed.
Arrays of other layouts and unaligned ones (fields of records) are copied, read-only ones are not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from typing import Any

from numba import njit
from numba.core import types
from numba.core.imputils import impl_ret_borrowed
from numba.extending import intrinsic


@intrinsic
def plain(typingctx, array):
    """The same array, typed as kernels take it: no kernel writes to its inputs, and a copy is aligned."""
    result = types.Array(array.dtype, array.ndim, array.layout)

    def reinterpret(context, builder, signature, args):
        return impl_ret_borrowed(context, builder, signature.return_type, args[0])

    return result(array), reinterpret


def adapt(kernel, structure, args: tuple[types.Type, ...], static: Collection[int] = ()):
    """A dispatcher over `args` that calls `kernel` with their leaves, and nests its results as `structure` says."""
    if structure is None and not static and all(_is_plain(arg) for arg in args) and _takes(kernel, args):
        return kernel
    names = [f"x{i}" for i in range(len(args))]
    leaves = [leaf for i, arg in enumerate(args) if i not in static for leaf in _leaves(names[i], arg)]
    scope: dict[str, Any] = {"kernel": kernel, "plain": plain}
    result = "out" if structure is None else _nested(structure, scope)
    call = f"kernel({', '.join(leaves)})"
    call = f"({call},)" if structure is not None and _count(structure) == 1 else call  # one result comes bare
    body = f"({', '.join(names)}):\n    out = {call}\n    return {result}\n"
    # the hash keeps apart what different processes compile: the symbols of both may meet in a third one's cache
    name = f"{kernel.__name__}_{hashlib.sha256(f'{args} {body}'.encode()).hexdigest()[:12]}"
    exec(compile(f"def {name}{body}", f"<adapter {name}>", "exec"), scope)
    options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "nogil": True}
    return njit(**options)(scope[name])


def _takes(kernel, args: tuple[types.Type, ...]) -> bool:
    # a kernel with explicit signatures may have no such one, and convert
    return kernel._can_compile or args in kernel.overloads


def _is_plain(arg: types.Type) -> bool:
    if isinstance(arg, types.Array):
        return arg.ndim > 0 and arg.layout == "C" and arg.mutable and arg.aligned
    return isinstance(arg, types.Number | types.Boolean)


def _leaves(name: str, arg: Any) -> Iterator[str]:
    if isinstance(arg, types.BaseTuple):
        parts: Any = arg  # Numba declares no iteration for it
        for i, part in enumerate(parts):
            yield from _leaves(f"{name}[{i}]", part)
    elif isinstance(arg, types.Array) and arg.ndim == 0:
        yield f"{name}[()]"
    elif isinstance(arg, types.Array):
        if not (arg.layout == "C" and arg.aligned):
            name = f"{name}.copy()"  # C-contiguous; np.ascontiguousarray would take ten times as long to compile
        yield name if arg.mutable and arg.aligned else f"plain({name})"
    elif not isinstance(arg, types.NoneType):
        yield name


def _count(structure) -> int:
    """How many results it holds."""
    if structure is None:
        return 0
    return 1 if isinstance(structure, int) else sum(map(_count, structure))


def _nested(structure, scope: dict) -> str:
    if structure is None:
        return "None"
    if isinstance(structure, int):
        return f"out[{structure}]"
    parts = "".join(_nested(part, scope) + ", " for part in structure)
    if not hasattr(structure, "_fields"):
        return f"({parts})"
    kind = f"{type(structure).__name__}_{len(scope)}"
    scope[kind] = type(structure)
    return f"{kind}({parts})"
