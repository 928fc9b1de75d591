"""How the arguments of a call are bound: static ones, names of leaves, defaults, and where the function stands."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optree

from gradgen.errors import ArgumentError, UnsupportedError
from gradgen.ir.graph import Constant
from gradgen.trace.arguments import parameter_names
from gradgen.trace.pytree import NAMESPACE


def static_key(static: dict[int, Any]) -> tuple:
    """What tells calls with other static arguments apart. Raises ArgumentError for values that can't be hashed."""
    return tuple((k, _content(k, v)) for k, v in static.items())


def _content(place: int, value):
    """1, 1.0 and True are equal, and so are 0.0 and -0.0, but a kernel for one is not right for the other."""
    if isinstance(value, np.ndarray):
        return Constant(value)
    if isinstance(value, tuple):
        return type(value), tuple(_content(place, v) for v in value)
    try:
        hash(value)
    except TypeError:
        raise ArgumentError(f"static argument {place} is a {type(value).__name__}, which has no hash",
                            hint="pass a tuple for a list, or a frozen dataclass") from None  # fmt: skip
    return type(value), value.hex() if isinstance(value, float) else value


def static_positions(static, names: Sequence[str], what: str) -> tuple[int, ...]:
    found = []
    for s in static:
        if isinstance(s, str) and s not in names:
            raise ArgumentError(f"{what}: no parameter {s!r} to be static", hint=f"parameters: {', '.join(names)}")
        found.append(names.index(s) if isinstance(s, str) else s)
    return tuple(found)


def leaf_names(args: Sequence, static: dict, parameters: Sequence[str]) -> tuple[str, ...]:
    """Names of the leaves: the parameter's, numbered where it holds several."""
    names: list[str] = []
    for k, arg in enumerate(args):
        if k in static:
            continue
        base = parameters[k] if k < len(parameters) else f"x{k}"
        paths = _paths(arg)
        names += [base + path for path in paths]
    return tuple(names)


def _paths(tree) -> list[str]:
    paths = optree.tree_paths(tree, namespace=NAMESPACE)
    return ["".join(f"_{part}" for part in path) for path in paths]


def by_position(function: Callable) -> Callable:
    """The function with its keyword-only parameters taken by position, after the others; itself where it has none."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (ValueError, TypeError):  # a builtin that does not say
        return function
    names = [p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]
    any_number = any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters)
    if not names or any_number or hasattr(function, "keyword_only"):
        return function
    first = parameter_names(function)

    @functools.wraps(function)
    def called(*args):
        return function(*args[: len(first)], **dict(zip(names, args[len(first) :], strict=False)))

    called.parameter_names = (*first, *names)  # type: ignore[attr-defined]
    called.keyword_only = len(names)  # type: ignore[attr-defined]
    return called


def default_of(function: Callable, name: str):
    parameter = inspect.signature(function).parameters.get(name)
    if parameter is None or parameter.default is inspect.Parameter.empty:
        raise ArgumentError(f"{getattr(function, '__name__', 'f')}: argument {name} is missing")
    return parameter.default


def origin_of(function: Callable) -> str:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{code.co_filename.rsplit('/', 1)[-1]}:{code.co_firstlineno}" if code else "?"


def check_nopython(name: str, structure) -> None:
    """Raise UnsupportedError for results that @njit code has no type for."""
    if isinstance(structure, (tuple, list)):
        for part in structure:
            check_nopython(name, part)
    elif structure is not None and not isinstance(structure, int):
        raise UnsupportedError(f"{name} returns a {type(structure).__name__}, which @njit code has no type for",
                               hint="return numbers, arrays, tuples or named tuples of them")  # fmt: skip
