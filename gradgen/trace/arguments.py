"""How a user's call is read: which arguments `argnums` means, and what a tree of arguments holds.

The interpreted tape and the compiled transformations share it, so that both accept the same calls and refuse the
others with the same words.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable

from gradgen.errors import ArgumentError
from gradgen.trace.pytree import flatten, unflatten

__all__ = ["flatten", "name_of", "parameter_names", "place", "resolve_argnums", "unflatten"]
_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def resolve_argnums(f: Callable, argnums) -> tuple[tuple[int, ...], bool]:
    """(positions, whether `argnums` is one argument and not a tuple of them).

    argnums: an int (negative ones count from the end), a parameter's name, or a tuple of these. Raises ArgumentError
    for names and positions that f does not have, for the same argument twice, and for anything else.
    """
    single = not isinstance(argnums, (tuple, list))
    positions = tuple(_position(f, a) for a in ((argnums,) if single else argnums))
    if not positions:
        raise ArgumentError("argnums is empty", hint="name at least one argument: argnums=0")
    if len(set(positions)) != len(positions):
        raise ArgumentError(f"argnums={argnums!r} names an argument of {name_of(f)} twice")
    return positions, single


def _position(f: Callable, argnum) -> int:
    parameters = _parameters(f)
    names = [p.name for p in parameters if p.kind in _BY_PLACE] if parameters is not None else []
    listed = f"{name_of(f)} takes {', '.join(names)}" if names else None
    if isinstance(argnum, str):
        if argnum not in names:
            raise ArgumentError(f"argnums={argnum!r}: {name_of(f)} has no argument of that name by position",
                                hint=listed)  # fmt: skip
        return names.index(argnum)
    if isinstance(argnum, bool) or not hasattr(argnum, "__index__"):
        raise ArgumentError(f"argnums={argnum!r}", hint="an int, a parameter's name, or a tuple of them")
    position = operator.index(argnum)
    if parameters is None or any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters):
        if position < 0:
            raise ArgumentError(f"argnums={position}: {name_of(f)} takes any number of arguments, so none is the last",
                                hint="count from the front")  # fmt: skip
        return position
    if not -len(names) <= position < len(names):
        raise ArgumentError(f"argnums={position}: {name_of(f)} has {len(names)} arguments by position", hint=listed)
    return position % len(names)


def place(f: Callable, positions: tuple[int, ...], args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """The same call with every argument of `positions` given by position, also those that came by name or default.

    Raises ArgumentError where one of them is missing, and Python's TypeError where the call does not fit f.
    """
    if max(positions) < len(args):
        return args, kwargs
    if _parameters(f) is not None:
        bound = inspect.signature(f).bind(*args, **kwargs)
        bound.apply_defaults()
        if max(positions) < len(bound.args):
            return bound.args, bound.kwargs
    raise ArgumentError(f"argnums asks for argument {max(positions)} of {name_of(f)}, which got {len(args)}")


def parameter_names(f: Callable, count: int | None = None) -> list[str]:
    """Names of the first `count` arguments by position: the parameters', numbered beyond them. None: all of f's."""
    known = getattr(f, "parameter_names", None)  # a compiled function may take more than what it wraps
    if known is not None:
        return list(known)[:count]
    named = [p for p in _parameters(f) or () if p.kind in (*_BY_PLACE, inspect.Parameter.VAR_POSITIONAL)]
    names = [p.name for p in named if p.kind in _BY_PLACE]
    if count is None:
        return names
    rest = next((p.name for p in named if p.kind is inspect.Parameter.VAR_POSITIONAL), "arg")
    return (names + [f"{rest}{k}" for k in range(count - len(names))])[:count]


def name_of(f: Callable) -> str:
    return getattr(f, "__name__", None) or type(f).__name__


def _parameters(f: Callable) -> list[inspect.Parameter] | None:
    """None where f is a builtin that does not say."""
    try:
        return list(inspect.signature(f).parameters.values())
    except (ValueError, TypeError):
        return None
