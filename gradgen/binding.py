"""How the arguments of a call are bound: static ones, names of leaves, defaults, and where the function stands."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optree

from gradgen.errors import ArgumentError
from gradgen.ir.graph import Constant
from gradgen.trace.pytree import NAMESPACE


def static_key(static: dict[int, Any]):
    return tuple((k, Constant(v) if isinstance(v, np.ndarray) else (type(v), v)) for k, v in static.items())


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


def default_of(function: Callable, name: str):
    parameter = inspect.signature(function).parameters.get(name)
    if parameter is None or parameter.default is inspect.Parameter.empty:
        raise ArgumentError(f"{getattr(function, '__name__', 'f')}: argument {name} is missing")
    return parameter.default


def origin_of(function: Callable) -> str:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{code.co_filename.rsplit('/', 1)[-1]}:{code.co_firstlineno}" if code else "?"
