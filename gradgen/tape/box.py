"""Boxes: values that record what is done with them.

A `Tape` is the list of gates that one transformation records. A `Box` is a value on it. An operation on boxes computes
at once, on the values, and leaves a gate behind:

    x * y     ->  Multiply gate on the tape of x and y  ->  Box(value of x * value of y)

For derivatives of derivatives the value in a box is a box of an outer tape, and the computation on values records
there in its turn. Of several tapes the one opened last records, and takes the boxes of the others for constants; so
a perturbation of an outer function is never mistaken for one of an inner. Values without a derivative (comparisons,
ints, argmax) leave the box: branches and indices of plain Python work.
"""

from __future__ import annotations

import contextlib
import itertools
import threading

import numpy as np

from gradgen.errors import DTypeError
from gradgen.ir.source import users_line
from gradgen.ir.types import SHORT, Type
from gradgen.ops import arithmetic, leaves, linalg
from gradgen.ops.record import BY_NUMPY, ELEMENTWISE, Op
from gradgen.tape.gates import PYTHON, Elementwise, Gate, Source, function_of, kind_of
from gradgen.trace import promotion
from gradgen.trace.protocol import Traced

FLOATS = (np.dtype(np.float64), np.dtype(np.float32))
_PLAIN = frozenset((bool, float, int, np.ndarray, np.float64, np.float32, np.int64, np.bool_))
_NO_ATTRS: dict = {}
_levels = itertools.count()


class _Open(threading.local):
    def __init__(self):
        self.tapes: list[Tape] = []


_open = _Open()


class Tape:
    """The gates of one computation, in order. Open (`with`) while the function runs."""

    __slots__ = ("gates", "level", "recording")

    def __init__(self):
        self.gates: list[Gate] = []
        self.level, self.recording = next(_levels), True

    def __enter__(self):
        _open.tapes.append(self)
        return self

    def __exit__(self, *error):
        _open.tapes.pop()

    def add(self, gate: Gate) -> Gate:
        gate.index = len(self.gates)
        self.gates.append(gate)
        return gate

    def source(self, value, weak: bool = False) -> Box:
        """A box for an argument."""
        return Box(self, value, self.add(Source(value)), weak)

    def holds(self, x) -> bool:
        return x.__class__ is Box and x.tape is self


@contextlib.contextmanager
def no_grad():
    """Compute without recording: what is made inside is constant for all transformations around it.

    `with no_grad():`, or `@no_grad()` on a function. A transformation called inside works as always.
    """
    paused = [tape for tape in _open.tapes if tape.recording]
    for tape in paused:
        tape.recording = False
    try:
        yield
    finally:
        for tape in paused:
            tape.recording = True


class Box(Traced):
    """A value on a tape. `gate` made it (None: a constant); `weak`: it stands for a Python number in promotion."""

    __slots__ = ("gate", "tape", "value", "weak")

    def __init__(self, tape: Tape, value, gate: Gate | None, weak: bool = False):
        self.tape, self.value, self.gate, self.weak = tape, value, gate, weak

    shape = property(lambda self: self.value.shape)
    dtype = property(lambda self: self.value.dtype)
    ndim = property(lambda self: self.value.ndim)
    size = property(lambda self: self.value.size)
    type = property(lambda self: Type(self.value.dtype, self.value.shape))

    def __gradgen_apply__(self, op: Op, args, attrs):
        return record(op, args, attrs)

    def __gradgen_elementwise__(self, op: Op, args):
        return record(op, args)

    def __gradgen_lift__(self, value):
        return Box(self.tape, value, None)

    def __gradgen_count__(self, n):
        return n

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        op = linalg.matmul if ufunc is np.matmul and _fit_as_matrices(*inputs) else BY_NUMPY.get(ufunc)
        if op is None or options or method != "__call__":
            return super().__array_ufunc__(ufunc, method, *inputs, **options)
        return record(op, inputs)

    def __matmul__(self, other):
        return record(linalg.matmul, (self, other)) if _fit_as_matrices(self, other) else super().__matmul__(other)

    def __bool__(self) -> bool:
        return bool(self.value)

    def _no_number(self, what: str, hint: str):
        # A constant's number may be used; any other would lose its derivative.
        if self.gate is not None and self.tape.recording:
            super()._no_number(what, hint)
        return self.value

    def __float__(self) -> float:
        return float(self._no_number("float() or a function of `math`", "use NumPy's function: np.sin for math.sin"))

    def __int__(self) -> int:
        return int(self._no_number("int()", "use np.floor or np.trunc, or .astype(np.int64)"))

    def __index__(self) -> int:
        return self._no_number("a Python index or a range()", "convert with .astype(np.int64)").__index__()

    def __format__(self, spec: str) -> str:
        return format(self.value, spec)

    def __repr__(self) -> str:
        return f"Box({self.value!r})"


def record(op: Op, args, attrs: dict = _NO_ATTRS, by_operator: bool = False):
    """Compute op on values; a box for the result, and a gate on the tape if a derivative flows through."""
    tape, weak, strong = None, False, False
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
    if weak and strong and not attrs:
        args = _settle(op, args)
    xs, parents = [], []
    for x in args:
        if x.__class__ is Box and x.tape is tape:
            xs.append(x.value)
            parents.append(x.gate)
        else:
            xs.append(x if x.__class__ in _PLAIN else _constant(x))
            parents.append(None)
    if op.partials is None and op.kind == ELEMENTWISE:
        return function_of(op)(*xs)
    gate = (Elementwise if op.kind == ELEMENTWISE else kind_of(op))(op, xs, parents, attrs)
    out = gate.forward()
    live = tape.recording and any(parents)
    if out.dtype not in FLOATS and (live or out.dtype.name not in SHORT):
        return _without_derivative(op, out)
    return Box(tape, out, tape.add(gate) if live else None, by_operator and weak and not strong)


def _fit_as_matrices(a, b) -> bool:
    """Whether a @ b is the op as it stands. Vectors, stacks, mixed dtypes and errors take the way through views."""
    return (
        a.__class__ in _ARRAYS and b.__class__ in _ARRAYS
        and a.ndim == b.ndim == 2 and a.shape[1] == b.shape[0] and a.dtype == b.dtype
    )  # fmt: skip


def _settle(op: Op, args):
    """Python floats among arrays: float32 stays float32, so a box of a Python float is cast before they meet."""
    if not any(getattr(x, "dtype", None) == np.float32 for x in args):
        return args
    dtypes = promotion.loop_dtypes(op, args)
    return [leaves.astype(x, dtype=d) if x.__class__ is Box and x.weak and x.dtype != d else x
            for x, d in zip(args, dtypes, strict=False)]  # fmt: skip


def _constant(x):
    """An operand from outside as an array of a dtype that gradgen computes with; boxes of outer tapes as they are."""
    return x if x.__class__ is Box else promotion.lift(x, _LIFT)


class _Arrays:
    """Lifts a constant to a plain array."""

    def __gradgen_lift__(self, value):
        return value


_LIFT = _Arrays()


def _without_derivative(op: Op, out):
    if out.dtype.name not in SHORT:
        raise DTypeError(f"{op.name}: a result of dtype {out.dtype}", where=users_line(),
                         hint=f"gradgen computes with {', '.join(SHORT)}")  # fmt: skip
    return out


_ARRAYS = (Box, np.ndarray)

# Python's operators, without the detour through NumPy


def _operator(op: Op):
    def forward(self, other):
        if other.__class__ in _PLAIN or isinstance(other, (Box, np.ndarray, np.generic)):
            return record(op, (self, other), by_operator=True)
        return NotImplemented

    def backward(self, other):
        if other.__class__ in _PLAIN or isinstance(other, (np.ndarray, np.generic)):
            return record(op, (other, self), by_operator=True)
        return NotImplemented

    return forward, backward


for _name, _op in {"add": arithmetic.add, "sub": arithmetic.subtract, "mul": arithmetic.multiply,
                   "truediv": arithmetic.divide, "floordiv": arithmetic.floor_divide, "mod": arithmetic.remainder,
                   "pow": arithmetic.power}.items():  # fmt: skip
    _forward, _backward = _operator(_op)
    setattr(Box, f"__{_name}__", _forward)
    setattr(Box, f"__r{_name}__", _backward)
for _name, _op in {"lt": arithmetic.less, "le": arithmetic.less_equal, "gt": arithmetic.greater,
                   "ge": arithmetic.greater_equal, "eq": arithmetic.equal, "ne": arithmetic.not_equal}.items():  # fmt: skip
    setattr(Box, f"__{_name}__", _operator(_op)[0])
for _name, _op in {"neg": arithmetic.negative, "abs": arithmetic.absolute}.items():
    setattr(Box, f"__{_name}__", lambda self, _op=_op: record(_op, (self,), by_operator=True))

_power = Box.__pow__


def _square_or_power(self, other):
    """x**2 is x*x, exactly and for every dtype."""
    if other.__class__ in PYTHON and other == 2:
        return record(arithmetic.square, (self,), by_operator=True)
    return _power(self, other)


Box.__pow__ = _square_or_power
