"""Promotion and broadcasting, made explicit: operands of an op get equal shapes and the dtypes of NumPy 2's loop."""

from __future__ import annotations

import math

import numpy as np

from gradgen.errors import DTypeError, ShapeError
from gradgen.ir.sizes import Size, freeze, hint, same
from gradgen.ir.source import users_line
from gradgen.ir.types import SHORT, Type
from gradgen.ops import leaves, views
from gradgen.ops.record import BY_NUMPY, Op

COMPARISONS = {BY_NUMPY[f] for f in (np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal)}
_PYTHON = {"f": float, "i": int, "u": int, "b": np.dtype(bool)}  # a bool is no weak number


def exemplar(args):
    """The first traced value among the arguments: it knows how to lift the others."""
    for x in args:
        if hasattr(x, "__gradgen_apply__"):
            return x
    raise AssertionError("no traced value among the arguments")


def is_traced(x) -> bool:
    return hasattr(x, "__gradgen_apply__")


def lift(x, like):
    """x as a traced value: constants become constants of the graph, sizes become values."""
    if is_traced(x):
        return x
    if hasattr(x, "__gradgen_size__"):
        return x.__gradgen_size__()
    return like.__gradgen_lift__(array_of(x))


def refuse_other_arrays(x) -> None:
    """Raise DTypeError for arrays that mean something else than their elements: masked ones, matrices."""
    kind = type(x)
    if kind is not np.ndarray and isinstance(x, (np.ma.MaskedArray, np.matrix)):
        raise DTypeError(f"a {kind.__name__}, which computes otherwise than an array", where=users_line(),
                         hint="np.asarray(x) of a matrix; x.filled(0) and x.mask of a masked array")  # fmt: skip


def array_of(x) -> np.ndarray:
    """A value from outside the trace as an array. Raises DTypeError for what gradgen does not compute with."""
    refuse_other_arrays(x)
    array = np.asarray(x)
    if array.dtype.name not in SHORT:
        raise DTypeError(f"a value of dtype {array.dtype} ({type(x).__name__}) among traced values", where=users_line(),
                         hint=f"gradgen computes with {', '.join(SHORT)}")  # fmt: skip
    return array


def is_weak(x) -> bool:
    """Whether x counts as a Python scalar in promotion."""
    if is_traced(x):
        return x.weak
    return hasattr(x, "__gradgen_size__") or (isinstance(x, (bool, int, float)) and not isinstance(x, np.generic))


def dtype_of(x):
    """dtype, or the Python type that stands for a weak scalar."""
    if is_traced(x):
        return _PYTHON[x.dtype.kind] if x.weak else x.dtype
    if is_weak(x):
        return np.dtype(bool) if isinstance(x, bool) else type(x) if isinstance(x, (int, float)) else int
    return array_of(x).dtype


def loop_dtypes(op: Op, args):
    """The dtypes to cast the operands to, by NumPy's rules."""
    dtypes = tuple(dtype_of(x) for x in args)
    if all(isinstance(d, type) for d in dtypes):
        dtypes = tuple(np.dtype(d) for d in dtypes)
    try:
        return op.loop(dtypes)
    except DTypeError as error:
        raise DTypeError(error.problem, where=users_line(), hint=error.hint) from None


def cast(x, dtype):
    return x if x.dtype == dtype else leaves.astype(x, dtype=np.dtype(dtype))


def broadcast(x, shape):
    return x if x.type.shape == tuple(shape) else views.broadcast_to(x, shape=tuple(shape))


def broadcast_shapes(what: str, types: list[Type]) -> tuple:
    """NumPy's rule; sizes that are symbols must be known to agree."""
    ndim = max(t.ndim for t in types)
    result = []
    for k in range(-ndim, 0):
        size: Size = 1
        for t in types:
            n = t.shape[k] if t.ndim >= -k else 1
            if n == 1 or n is size:
                continue
            if size == 1:
                size = n
            elif not same(size, n):
                freeze_ones(size, n)
                raise ShapeError(f"{what}: {', '.join(map(str, types))}: sizes {size} and {n} of axis {k} do not "
                                 "broadcast", where=users_line(),
                                 hint="axes are matched from the last; insert one with x[:, None]")  # fmt: skip
        result.append(size)
    return tuple(result)


def freeze_ones(*sizes) -> None:
    """A symbolic size that is 1 in this call repeats, as 1 does: the kernel must know."""
    for n in sizes:
        if hint(n) == 1:
            freeze(n)


def elementwise(op: Op, args, weak: bool = False):
    """Apply an elementwise op as NumPy would: cast, broadcast, compute."""
    like = exemplar(args)
    fast = getattr(like, "__gradgen_elementwise__", None)
    if fast is not None:
        return fast(op, args)
    dtypes = loop_dtypes(op, args)
    args, dtypes = _with_large_ints(op, args, dtypes)
    lifted = [cast(lift(x, like), d) for x, d in zip(args, dtypes, strict=False)]
    shapes = [x.type for x in lifted]
    shape = shapes[0].shape if all(t.shape == shapes[0].shape for t in shapes) else broadcast_shapes(op.name, shapes)
    out = op(*(broadcast(x, shape) for x in lifted))
    if weak:
        out.weak = True
    return out


def _with_large_ints(op: Op, args, dtypes) -> tuple:
    """Python ints that the dtype at hand does not hold: floats beside floats; infinite where they are compared, as
    NumPy compares them; else DTypeError, where NumPy raises OverflowError."""
    bad = [type(x) is int and not _holds(d, x) for x, d in zip(args, dtypes, strict=False)]
    if not any(bad):
        return args, dtypes
    if all(d.kind == "f" for d, is_bad in zip(dtypes, bad, strict=False) if is_bad):
        return [float(x) if b else x for x, b in zip(args, bad, strict=True)], dtypes
    if op in COMPARISONS:
        return [math.copysign(math.inf, x) if b else x for x, b in zip(args, bad, strict=True)], [
            np.dtype(np.float64)
        ] * len(dtypes)
    number, dtype = next((x, d) for x, d, b in zip(args, dtypes, bad, strict=False) if b)
    raise DTypeError(f"{op.name}: the Python int {number} is out of bounds for {SHORT[dtype.name]}", where=users_line(),
                     hint="cast the array to a wider dtype first: x.astype(np.int64)")  # fmt: skip


def _holds(dtype: np.dtype, number: int) -> bool:
    info = np.iinfo(dtype if dtype.kind in "iu" else np.int64)
    return bool(info.min <= number <= info.max)


def operator(ufunc, *args):
    """An operator: like its ufunc, but Python scalars among themselves stay Python scalars."""
    for x in args:
        if not (
            is_traced(x) or isinstance(x, (bool, int, float, np.generic, np.ndarray)) or hasattr(x, "__gradgen_size__")
        ):
            return NotImplemented
    op = BY_NUMPY.get(ufunc)
    if op is None:
        return exemplar(args).__array_ufunc__(ufunc, "__call__", *args)
    if op.name == "power":
        simple = _simple_power(*args)
        if simple is not None:
            return simple
    return elementwise(op, args, weak=all(is_weak(x) for x in args))


def _simple_power(x, y):
    """x**2 is x*x, exactly and for every dtype; negative powers of ints are an error, as in NumPy."""
    if isinstance(y, int) and y < 0 and is_traced(x) and x.dtype.kind in "iu":
        raise DTypeError(f"power: {x.type} ** {y}: integers to negative integer powers", where=users_line(),
                         hint="convert with .astype(np.float64)")  # fmt: skip
    if isinstance(y, (int, float)) and y == 2 and is_traced(x) and x.dtype.kind == "f":
        return operator(np.square, x)
    return None
