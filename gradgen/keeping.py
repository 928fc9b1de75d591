"""What was compiled for a function that is handed over anew in every call, as to gg.vjp, gg.jvp and gg.fit.

It is kept on the function itself, and lives and dies with it. A function whose globals or closure hold other things
than before is compiled again. Bound methods and objects that may change are compiled in each call.
"""

from __future__ import annotations

import dataclasses
import types
import weakref
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from gradgen.compiled import CompiledFunction

NAME = "__gradgen_kept__"
MISSING = object()


class Kept:
    """The compiled functions of `owner`. Copies of the owner share it, but are not the owner; pickles have none."""

    def __init__(self, owner: Callable):
        self.owner = weakref.ref(owner)
        self.table: dict[Hashable, tuple[list, CompiledFunction]] = {}

    def __reduce__(self):
        return type(None), ()

    def __deepcopy__(self, memo):
        return None


def kept(function: Callable, key: Hashable, make: Callable[[], CompiledFunction]) -> CompiledFunction:
    """The compiled function that was made for `function` and this key before, or a new one."""
    if not _stays(function):
        return make()
    found = function.__dict__.get(NAME)
    if not isinstance(found, Kept) or found.owner() is not function:  # functools.wraps copies the whole __dict__
        found = function.__dict__[NAME] = Kept(function)
    seen = list(_captured(function, set()))
    entry = found.table.get(key)
    if entry is None or len(entry[0]) != len(seen) or any(a is not b for a, b in zip(entry[0], seen, strict=True)):
        entry = found.table[key] = seen, make()
    return entry[1]


def _stays(function: Callable) -> bool:
    """Whether a call of it means the same as long as what it captures is the same."""
    if isinstance(function, (types.FunctionType, CompiledFunction)):
        return True
    frozen = getattr(type(function), "__dataclass_params__", None)
    return dataclasses.is_dataclass(function) and frozen is not None and frozen.frozen and hasattr(function, "__dict__")


def _captured(function: Any, visited: set) -> Iterator[Any]:
    """The objects that a function finds by name, and those that functions of its own module find which it calls."""
    if not isinstance(function, types.FunctionType) or function in visited:
        return
    visited.add(function)
    yield function.__code__
    yield from (function.__defaults__, function.__kwdefaults__)
    cells = [_content(cell) for cell in function.__closure__ or ()]
    found = [*cells, *(function.__globals__.get(name, MISSING) for name in _names(function.__code__))]
    for value in found:
        yield value
        if isinstance(value, types.FunctionType) and value.__globals__ is function.__globals__:
            yield from _captured(value, visited)


def _content(cell) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return MISSING


def _names(code: types.CodeType) -> Iterator[str]:
    """The names of globals (and attributes) in a function and in those that it defines."""
    yield from code.co_names
    for value in code.co_consts:
        if isinstance(value, types.CodeType):
            yield from _names(value)
