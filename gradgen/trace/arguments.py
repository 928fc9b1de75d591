"""Arguments by position and by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from gradgen.errors import ArgumentError


def parameter_names(function: Callable) -> tuple[str, ...]:
    """Names of the positional parameters; () where Python does not know them."""
    known = getattr(function, "parameter_names", None)  # a compiled function may have more than it wraps
    if known is not None:
        return tuple(known)
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ()
    return tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))


def resolve_argnums(function: Callable, argnums) -> tuple[tuple[int, ...], bool]:
    """(positions, whether it was one int or name). Raises ArgumentError for what the function does not have."""
    single = not isinstance(argnums, (tuple, list))
    wanted = (argnums,) if single else tuple(argnums)
    if not wanted:
        raise ArgumentError("argnums is empty", hint="an int, a parameter's name, or a tuple of them")
    return tuple(_position(function, a) for a in wanted), single


def _position(function: Callable, argnum) -> int:
    names, what = parameter_names(function), getattr(function, "__name__", "f")
    if isinstance(argnum, str):
        if argnum not in names:
            raise ArgumentError(f"{what}: argnums names {argnum!r}, which is no parameter", hint=f"parameters: {', '.join(names)}")
        return names.index(argnum)
    if isinstance(argnum, bool) or not hasattr(argnum, "__index__"):
        raise ArgumentError(f"{what}: argnums={argnum!r}", hint="an int, a parameter's name, or a tuple of them")
    position = argnum.__index__()
    count = len(names)
    if position < 0 and count:
        position += count
    if position < 0 or (count and position >= count and not _takes_more(function)):
        raise ArgumentError(f"{what}: argnums={argnum}, but it has {count} parameters ({', '.join(names)})")
    return position


def _takes_more(function: Callable) -> bool:
    try:
        return any(p.kind is p.VAR_POSITIONAL for p in inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return True
