"""What a traced value answers to: operators, NumPy's protocols, methods, and clear errors for the rest.

`Traced` knows nothing of graphs. It turns NumPy's vocabulary into ops (promotion, broadcasting and default arguments
made explicit) and hands them to `__gradgen_apply__`, which a subclass defines: the tracer builds a node, the tape
computes and records.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradgen.errors import MutationError, TraceError, UnsupportedError
from gradgen.ir.source import users_line
from gradgen.ir.types import Type
from gradgen.ops.record import BY_NUMPY, Op
from gradgen.trace import promotion
from gradgen.trace.pytree import flatten, unflatten


class Traced:
    """A value that is being traced. Subclasses have `type` and `__gradgen_apply__`, `__gradgen_lift__`."""

    __slots__ = ()
    __array_priority__ = 1000
    type: Type
    weak = False  # whether it stands for a Python scalar

    def __gradgen_apply__(self, op: Op, args: tuple, attrs: dict):
        raise AssertionError("defined by subclasses")

    def __gradgen_lift__(self, value: np.ndarray):
        raise AssertionError("defined by subclasses")

    def __gradgen_copy__(self):
        """The same value as an array of its own, where arrays can be assigned into."""
        return self

    @property
    def shape(self) -> tuple:
        return self.type.shape

    @property
    def dtype(self) -> np.dtype:
        return self.type.dtype

    @property
    def ndim(self) -> int:
        return len(self.type.shape)

    @property
    def size(self):
        return self.type.size

    # -- NumPy's protocols

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        if out is not None:
            raise MutationError(f"{ufunc.__name__}(out=...): traced values can't be written to", where=users_line(),
                                hint=f"use the result: y = np.{ufunc.__name__}(...)")  # fmt: skip
        if method == "__call__" and not options:
            op = BY_NUMPY.get(ufunc)
            if op is not None:
                return promotion.elementwise(op, inputs)
            if ufunc in FUNCTIONS:
                return own(ufunc.__name__, FUNCTIONS[ufunc](*inputs), inputs)
        if method == "__call__" and set(options) == {"dtype"}:
            return self.__array_ufunc__(ufunc, method, *inputs).astype(options["dtype"])
        if method == "reduce" and ufunc in REDUCE:
            return FUNCTIONS[REDUCE[ufunc]](inputs[0], **{"axis": 0, **options})
        what = ufunc.__name__ + ("" if method == "__call__" else f".{method}")
        raise _unsupported(what, options)

    def __array_function__(self, function, types, args, kwargs):
        implementation = FUNCTIONS.get(function)
        if implementation is None:
            raise _unsupported(_spelled(function), {})
        try:
            return own(function.__name__, implementation(*args, **kwargs), args)
        except TypeError as error:
            if isinstance(error, TraceError) or "argument" not in str(error):
                raise
            raise _unsupported(_spelled(function), kwargs) from None

    def __array__(self, dtype=None, copy=None):
        where = _refuse_assignment()
        hint = "use it as it is, or join several with np.stack or np.concatenate"
        if self.type.dtype.kind in "iu":
            hint += "; a table that it is to index is gg.full(table.shape, table)[i]"
        raise TraceError("np.array / np.asarray of a traced value", where=where, hint=hint)

    # -- what only a number has

    def __bool__(self):
        raise TraceError(f"a branch on a traced value of type {self.type}: its truth is not known while tracing",
                         where=users_line(), hint="np.where(condition, a, b) chooses element by element")  # fmt: skip

    def _no_number(self, what: str, hint: str):
        raise TraceError(f"{what} of a traced value of type {self.type}: its number is not known while tracing",
                         where=users_line(), hint=hint)  # fmt: skip

    def __float__(self):
        _refuse_assignment()
        self._no_number(
            "float() or a function of `math`", "use NumPy's function (np.sin for math.sin), .astype for float()"
        )

    def __int__(self):
        _refuse_assignment()
        self._no_number(
            "int()", "use np.floor, np.trunc, or .astype(np.int64); mark arguments that are data as `static`"
        )

    def __index__(self):
        self._no_number("a Python index or a range()", 'mark the argument as static: static=("n",)')

    def __complex__(self):
        self._no_number("complex()", "gradgen computes with real numbers")

    def __round__(self, digits=None):
        self._no_number("round()", "np.rint rounds to whole numbers")

    def __format__(self, spec):
        return repr(self) if not spec else self._no_number(f"a text of the form {spec!r}", "print it after the call")

    def item(self):
        self._no_number(".item()", "use it as it is: a scalar has no axes")

    def tolist(self):
        self._no_number(".tolist()", "use it as it is, or take it apart: a, b = x")

    def __setitem__(self, key, value):
        raise MutationError(f"assignment into a traced array of type {self.type}", where=users_line(),
                            hint="build it from its parts: np.stack, np.concatenate, np.where")  # fmt: skip

    def __len__(self) -> int:
        if not self.type.shape:
            raise TypeError("len() of a scalar")
        return self.shape[0].__index__()

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    __hash__ = object.__hash__

    def __getitem__(self, key):
        return FUNCTIONS["getitem"](self, key)


VIEWS = {"asarray", "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_to", "expand_dims", "moveaxis", "ravel",
         "reshape", "squeeze", "swapaxes", "transpose", "rollaxis"}  # fmt: skip


def own(name: str, out, args: tuple):
    """A result that is no argument, where NumPy gives a new array: each may be assigned into."""
    given = [x for a in args for x in (a if isinstance(a, (list, tuple)) else (a,))]
    if name not in VIEWS and isinstance(out, Traced) and any(out is x for x in given):
        return out.__gradgen_copy__()
    return out


def apart(result, args: tuple):
    """A tree of results in which no array is an argument: results never alias inputs."""
    given = {id(x) for x in flatten(args)[0] if isinstance(x, Traced)}
    leaves, spec = flatten(result)
    if not any(id(x) in given for x in leaves):
        return result
    return unflatten(spec, [x.__gradgen_copy__() if id(x) in given else x for x in leaves])


def _refuse_assignment():
    """MutationError where the user's line assigns into an array: NumPy asks for a number there. Else that line."""
    where = users_line()
    text = where.text if where else ""
    if "] =" in text or "]=" in text.replace("==", ""):
        raise MutationError("assignment of a traced value into a NumPy array", where=where,
                            hint="start from gg.zeros(n) or gg.zeros_like(x), which can be assigned into")  # fmt: skip
    return where


def _spelled(function) -> str:
    """linalg.inv for numpy.linalg.inv: what follows `np.` in the user's code."""
    module = getattr(function, "__module__", "") or ""
    return f"{module.removeprefix('numpy').removeprefix('.')}.{function.__name__}".removeprefix(".")


def _unsupported(what: str, options: dict) -> UnsupportedError:
    extra = f" with {', '.join(sorted(options))}" if options else ""
    return UnsupportedError(f"np.{what}{extra} is not traced", where=users_line(),
                            hint="docs/numpy.md lists what is; compose it from those functions")  # fmt: skip


# function of NumPy -> implementation on traced values; filled by trace/functions.py and trace/indexing.py
FUNCTIONS: dict[Any, Any] = {}
REDUCE = {np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min,
          np.logical_and: np.all, np.logical_or: np.any}  # fmt: skip


def _operator(ufunc):
    def forward(self, other):
        return promotion.operator(ufunc, self, other)

    def backward(self, other):
        return promotion.operator(ufunc, other, self)

    return forward, backward


for _name, _ufunc in {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "pow": np.power,
    "floordiv": np.floor_divide, "mod": np.remainder, "matmul": np.matmul, "and": np.bitwise_and, "or": np.bitwise_or,
}.items():  # fmt: skip
    _forward, _backward = _operator(_ufunc)
    setattr(Traced, f"__{_name}__", _forward)
    setattr(Traced, f"__r{_name}__", _backward)
for _name, _ufunc in {"lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
                      "eq": np.equal, "ne": np.not_equal}.items():  # fmt: skip
    setattr(Traced, f"__{_name}__", _operator(_ufunc)[0])
for _name, _ufunc in {"neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert}.items():
    setattr(Traced, f"__{_name}__", lambda self, _ufunc=_ufunc: promotion.operator(_ufunc, self))
