"""Boxes: values that record what is done with them.

A `Box` is a value on a tape. An operation on boxes computes at once, on the values, and leaves a gate behind:

    x * y     ->  a multiply gate on the tape of x and y  ->  Box(value of x * value of y)

For derivatives of derivatives the value in a box is a box of an outer tape, and the computation on values records
there in its turn. Of several tapes the one opened last records, and takes the boxes of the others for constants: so
a perturbation of an outer function is never mistaken for one of an inner. Values without a derivative (comparisons,
ints, argmax) leave the box: branches and indices of plain Python work.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from gradgen.errors import DTypeError
from gradgen.ir.source import users_line
from gradgen.ir.types import SHORT, Type
from gradgen.ops import arithmetic, leaves, linalg, reductions, views
from gradgen.ops.record import BY_NUMPY, ELEMENTWISE, Op
from gradgen.tape.gates import PYTHON, Gate, Source, function_of, kind_of
from gradgen.tape.tapes import Tape
from gradgen.trace import promotion
from gradgen.trace.protocol import Traced

FLOATS = (np.dtype(np.float64), np.dtype(np.float32))
PLAIN = frozenset((bool, float, int, np.ndarray, np.float64, np.float32, np.int64, np.bool_))  # constants as they are
_NO_ATTRS: dict = {}
_type = lru_cache(4096)(Type)


class Box(Traced):
    """A value on a tape. `gate` made it (None: a constant); `weak`: it stands for a Python number in promotion."""

    __slots__ = ("gate", "tape", "value", "weak")

    def __init__(self, tape: Tape, value, gate: Gate | None, weak: bool = False):
        self.tape, self.value, self.gate, self.weak = tape, value, gate, weak

    shape = property(lambda self: self.value.shape)
    dtype = property(lambda self: self.value.dtype)
    ndim = property(lambda self: self.value.ndim)
    size = property(lambda self: self.value.size)
    type = property(lambda self: _type(self.value.dtype, self.value.shape))

    def __gradgen_apply__(self, op: Op, args, attrs):
        return record(op, args, attrs)

    def __gradgen_elementwise__(self, op: Op, args):
        return record(op, args)

    def __gradgen_lift__(self, value):
        return Box(self.tape, value, None)

    def __gradgen_count__(self, n):
        return n

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        if method == "__call__" and not options:
            op = BY_NUMPY.get(ufunc)
            if op is not None:
                return record(op, inputs)
            out = product(*inputs) if ufunc is np.matmul else None
            if out is not None:
                return out
        return super().__array_ufunc__(ufunc, method, *inputs, **options)

    def __array_function__(self, function, types, args, kwargs):
        out = product(*args) if function is np.dot and not kwargs else None
        return super().__array_function__(function, types, args, kwargs) if out is None else out

    def __matmul__(self, other):
        out = product(self, other)
        return super().__matmul__(other) if out is None else out  # type: ignore[misc]

    def __bool__(self) -> bool:
        return bool(self.value)

    def _constant(self, what: str, hint: str):
        # The number of a constant may be used; any other would lose its derivative.
        if self.gate is not None and self.tape.recording:
            self._no_number(what, hint)
        return self.value

    def __float__(self) -> float:
        return float(self._constant("float() or a function of `math`", "use NumPy's function: np.sin for math.sin"))

    def __int__(self) -> int:
        return int(self._constant("int()", "use np.floor or np.trunc, or .astype(np.int64)"))

    def __index__(self) -> int:
        return self._constant("a Python index or a range()", "convert with .astype(np.int64)").__index__()

    def __format__(self, spec: str) -> str:
        return format(self.value, spec)

    def __repr__(self) -> str:
        return f"Box({self.value!r})"


def source(tape: Tape, value, weak: bool = False) -> Box:
    """A box for an argument."""
    return Box(tape, value, tape.add(Source(value)), weak)


def is_on(tape: Tape, x) -> bool:
    return x.__class__ is Box and x.tape is tape


def record(op: Op, args, attrs: dict = _NO_ATTRS, by_operator: bool = False):
    """Compute op on values; a box for the result, and a gate on the tape if a derivative flows through it."""
    tape: Any = None
    weak = strong = False
    for x in args:
        if x.__class__ is Box:
            if tape is None or x.tape.level > tape.level:
                tape = x.tape
            if x.weak:
                weak = True
            else:
                strong = True
        elif x.__class__ not in PYTHON:
            strong = True
    if weak and strong:
        args = _settle(op, args)
    xs, parents = [], []
    for x in args:
        if x.__class__ is Box and x.tape is tape:
            xs.append(x.value)
            parents.append(x.gate)
        else:
            xs.append(x if x.__class__ in PLAIN else _from_outside(x))
            parents.append(None)
    if op.partials is None and op.kind == ELEMENTWISE:
        return function_of(op)(*xs)
    gate = kind_of(op)(op, xs, parents, attrs)
    out = gate.forward()
    live = tape.recording and any(parents)
    if out.dtype not in FLOATS and (live or out.dtype.name not in SHORT):
        return _without_derivative(op, out)
    return Box(tape, out, tape.add(gate) if live else None, by_operator and weak and not strong)


def _settle(op: Op, args):
    """float32 stays float32 among Python floats: a box of one is cast before they meet."""
    if op.kind != ELEMENTWISE or not any(getattr(x, "dtype", None) == np.float32 for x in args):
        return args
    dtypes = promotion.loop_dtypes(op, args)
    return [
        leaves.astype(x, dtype=d) if x.__class__ is Box and x.weak and x.dtype != d else x
        for x, d in zip(args, dtypes, strict=False)
    ]


class _Array:
    """Lifts a constant to an array, and refuses dtypes that gradgen does not compute with."""

    def __gradgen_lift__(self, value):
        return value


def _from_outside(x):
    return x if x.__class__ is Box else promotion.lift(x, _Array())


def _without_derivative(op: Op, out):
    if out.dtype.name not in SHORT:
        raise DTypeError(f"{op.name}: a result of dtype {out.dtype}", where=users_line(),
                         hint=f"gradgen computes with {', '.join(SHORT)}")  # fmt: skip
    return out


def product(a, b):
    """The product of matrices and vectors that fit, straight as ops. None for all else: see `trace.products`."""
    if a.__class__ not in _ARRAYS or b.__class__ not in _ARRAYS or a.dtype != b.dtype:
        return None
    m, n = a.shape, b.shape
    if not (0 < len(m) < 3 and 0 < len(n) < 3) or m[-1] != n[0]:
        return None
    if len(m) == len(n) == 2:
        return record(linalg.matmul, (a, b))
    if len(m) == len(n):
        return record(reductions.sum, (record(arithmetic.multiply, (a, b)),), {"axes": (0,)})
    left = a if len(m) == 2 else views.reshape(a, shape=(1, *m))
    right = b if len(n) == 2 else views.reshape(b, shape=(*n, 1))
    return record(views.reshape, (record(linalg.matmul, (left, right)),), {"shape": m[:-1] + n[1:]})


_ARRAYS = (Box, np.ndarray)
