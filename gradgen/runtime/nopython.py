"""Calling a gradgen function from a user's @njit code, as it is.

in:  the Numba types of the arguments of a call in the user's function
out: a Numba signature, and the kernel linked into the user's function, where LLVM inlines it: no Python, no boxing

    @njit
    def simulate(x, n):
        for _ in range(n):
            x = x - 0.1 * f(x)      # f._numba_type_ is callable_type(f); get_call_type asks f for the kernel of float64

What is asked of f (a CompiledFunction): hashable by identity, weakly referenced, and
    f.kernel_for_types(arguments) -> dispatcher, or (dispatcher, structure)
        arguments  Leaf(dtype, ndim), or a tuple, namedtuple or None of them, one for each positional argument given;
                   at a position of f.static_positions, the value itself
        dispatcher takes the leaves in order: a number for ndim 0, else a C-contiguous array
        structure  what to make of its flat tuple of results: nested tuples and namedtuples of indices into it, None
    f.parameter_names  (optional) turns keyword arguments into positions
    f.static_positions (optional) arguments that are constants: literals here, or Numba compiles once per value
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba.core import errors, types
from numba.core.datamodel import models, register_default
from numba.core.dispatcher import Dispatcher
from numba.core.imputils import lower_constant
from numba.core.registry import cpu_target
from numba.core.typing.templates import Signature
from numba.extending import NativeValue, box, unbox
from numba.np import numpy_support

from gradgen.errors import ArgumentError, GradgenError
from gradgen.runtime import adapter
from gradgen.runtime.witness import Witness, pickled, unpickled


@dataclass(frozen=True, slots=True)
class Leaf:
    """An argument, or a part of one: an array, or for ndim 0 a number."""

    dtype: np.dtype
    ndim: int


class CompiledFunctionType(types.Callable):
    """The Numba type of one gradgen function: there are as many types as functions, so a type decides a call."""

    def __init__(self, function):
        self._reference = weakref.ref(function)
        self._dispatchers: dict[tuple[types.Type, ...], Dispatcher] = {}
        self._names = tuple(getattr(function, "parameter_names", ()))
        self._static = frozenset(getattr(function, "static_positions", ()))
        super().__init__(f"gradgen({getattr(function, '__qualname__', type(function).__name__)} at {id(function):#x})")

    @property
    def key(self):
        return self._reference

    @property
    def function(self):
        function = self._reference()
        if function is None:
            raise ReferenceError("the gradgen function of this type no longer exists")
        return function

    def __reduce__(self):
        return _restored_type, (pickled(self.function),)

    def get_call_type(self, context, args, kws):
        if not all(arg.is_precise() for arg in (*args, *kws.values())):
            return None  # Numba asks again when it knows more
        args = _positional(self.name, self._names, tuple(args), dict(kws))
        pysig = _python_signature(self._names, len(args))
        args = self._constants_literal(args)
        return Signature(self._return_type(context, args), args, None, pysig=pysig)

    def get_call_signatures(self):
        return [], True

    def get_impl_key(self, sig):
        return self._dispatcher(sig.args).get_overload(sig.args)

    def _return_type(self, context, args):
        # In `x = 0` followed by a loop with `x += 0.5 * f(x)`, Numba first types f(int64), and f(float64) once it has
        # seen what the loop adds. So where integers are refused, the result for floats is the type meanwhile; if they
        # are integers for good, get_impl_key meets the refusal again and the user reads it.
        try:
            dispatcher = self._dispatcher(args)
        except GradgenError:
            floats = tuple(types.float64 if isinstance(arg, types.Integer) else arg for arg in args)
            if floats == args:
                raise
            return self._return_type(context, floats)
        return dispatcher._numba_type_.get_call_type(context, args, {}).return_type

    def _constants_literal(self, args):
        """Static arguments as literals, the others as their types; asks Numba for literals that it has not given."""
        static = [i for i in self._static if i < len(args)]
        missing = {i for i in static if args[i] is not types.none and not isinstance(args[i], types.Literal)}
        for i in missing:
            if not isinstance(args[i], types.Integer | types.Boolean | types.UnicodeType):
                raise ArgumentError(
                    f"{self.name}: argument {i} is static, and has the Numba type {args[i]}",
                    hint="in @njit code, a static argument is an int, a bool, a string or None",
                )
        if missing:
            names = self._names
            raise errors.ForceLiteralArg(missing, lambda args, kws: _positional(self.name, names, (*args,), dict(kws)))
        return tuple(arg if i in static else types.unliteral(arg) for i, arg in enumerate(args))

    def _dispatcher(self, args):
        """What is called for these argument types: the kernel, or an adapter before it. Raises GradgenError."""
        found = self._dispatchers.get(args)
        if found is None:
            arguments = tuple(_describe(i, arg, i in self._static) for i, arg in enumerate(args))
            try:
                answer = self.function.kernel_for_types(arguments)
            except GradgenError as error:  # Numba lets it through to the user as it is: it is none of its own errors
                _say_where(error)
                raise
            kernel, structure = answer if isinstance(answer, tuple) else (answer, None)
            found = adapter.adapt(kernel, structure, args, self._static)
            if args not in found.overloads:
                found.compile(args)
            for compiled in kernel.overloads.values():
                Witness(self.function, arguments, kernel).attach(compiled.environment)
            self._dispatchers[args] = found
        return found


_types: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def callable_type(function) -> CompiledFunctionType:
    """The Numba type of a gradgen function, the same at every call: what its `_numba_type_` returns."""
    found = _types.get(function)
    if found is None:
        found = _types.setdefault(function, CompiledFunctionType(function))
    return found


def _restored_type(data: bytes | None) -> types.Type:
    # a function that can't be found again must not spoil the rest of the index that it is pickled in
    function = unpickled(data)
    return types.Opaque(f"gradgen(lost {object()})") if function is None else callable_type(function)


def _positional(name: str, names: Sequence[str], args: tuple, kws: dict) -> tuple:
    rest = list(names[len(args) :])
    for key in kws:
        if key not in rest:
            reason = "is given twice" if key in names else f"is no parameter; they are {', '.join(names) or 'unnamed'}"
            raise ArgumentError(f"{name}: {key} {reason}")
    given = rest[: len(kws)]
    if set(given) != set(kws):
        missing = next(key for key in given if key not in kws)
        raise ArgumentError(f"{name}: {missing} is missing", hint="in @njit code, give every argument before a keyword")
    return args + tuple(kws[key] for key in given)


def _python_signature(names: Sequence[str], count: int) -> inspect.Signature:
    names = [*names[:count], *(f"argument{i}" for i in range(len(names), count))]
    return inspect.Signature([inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in names])


def _describe(position: int, arg: Any, static: bool) -> Any:
    if static:
        return None if arg is types.none else arg.literal_value
    if isinstance(arg, types.NoneType):
        return None
    if isinstance(arg, types.BaseTuple):
        return _describe_tuple(position, arg)
    if isinstance(arg, types.Array):
        return Leaf(numpy_support.as_dtype(arg.dtype), arg.ndim)
    if isinstance(arg, types.Number | types.Boolean):
        return Leaf(numpy_support.as_dtype(arg), 0)
    raise ArgumentError(
        f"argument {position} has the Numba type {arg}",
        hint="in @njit code, gradgen functions take numbers, arrays, and tuples of them",
    )


def _describe_tuple(position: int, arg: Any) -> tuple:
    parts = tuple(_describe(position, part, False) for part in arg)
    named = getattr(arg, "instance_class", None)
    return parts if named is None else named(*parts)


def _say_where(error: GradgenError) -> None:
    """Add the line of the user's @njit function, which Numba notes here and tells in its own errors only."""
    place = getattr(errors, "loc_info", {}).get("loc")
    note = place and f"  called in @njit code at {place.filename}:{place.line}"
    if note and note not in getattr(error, "__notes__", ()):
        error.add_note(note)


register_default(CompiledFunctionType)(models.OpaqueModel)


@lower_constant(CompiledFunctionType)
def _constant(context, builder, ty, pyval):
    return context.get_dummy_value()


@unbox(CompiledFunctionType)
def _unbox(typ, obj, c):
    return NativeValue(c.context.get_dummy_value())


@box(CompiledFunctionType)
def _box(typ, val, c):
    function = c.env_manager.read_const(c.env_manager.add_const(typ.function))
    c.pyapi.incref(function)
    return function


# This module is imported while Numba types a user's function: the contexts at work must learn what it registered.
cpu_target.typing_context.refresh()
cpu_target.target_context.refresh()
