"""Every error that a user of gradgen can meet, drawn once.

    GradgenError
    +- ShapeError (ValueError)            sizes that do not fit
    +- DTypeError (TypeError)             dtypes that do not fit, or are not supported
    +- TraceError (TypeError)             Python asks a traced value for what only a number has
    |  +- MutationError                   assignment into an array
    |  +- UnsupportedError (NotImplementedError)   a NumPy function or form that is not traced
    +- DifferentiationError (TypeError)   no derivative is defined there
    +- ArgumentError (ValueError)         arguments and options that do not make sense
    +- NonFiniteError (FloatingPointError)         nan or inf met in training
    +- GraphError (AssertionError)        an invariant of ours is broken: a bug of gradgen
    CacheWarning (UserWarning)            the cache can't be used; everything works without it
    UnrollWarning (UserWarning)           a Python loop was traced step by step into thousands of statements

A message says: the op, the types, what is wrong; then the user's line; then the remedy.
"""

from __future__ import annotations

from typing import Any, Protocol


class Location(Protocol):
    """What an error needs of a source position; `ir.source.Source` is one."""

    @property
    def file(self) -> str: ...

    @property
    def line(self) -> int: ...

    @property
    def text(self) -> str: ...


class GradgenError(Exception):
    """Base of all errors. `problem` is one sentence; `where` the user's line; `hint` the remedy."""

    def __init__(self, problem: str, *, where: Location | None = None, hint: str | None = None):
        self.problem, self.where, self.hint = problem, where, hint
        super().__init__(self.message())

    def message(self) -> str:
        lines = [self.problem]
        if self.where is not None:
            caller = getattr(self.where, "caller", None)
            places = [("at", caller), ("in", self.where)] if caller is not None else [("at", self.where)]
            lines += [f"  {how} {place.file}:{place.line}   {place.text}".rstrip() for how, place in places]
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.message()

    def __reduce__(self):
        return _rebuild, (type(self), self.problem, self.where, self.hint)


def _rebuild(kind, problem, where, hint):
    return kind(problem, where=where, hint=hint)


class ShapeError(GradgenError, ValueError):
    """Sizes that do not fit."""


class DTypeError(GradgenError, TypeError):
    """Dtypes that do not fit, or that gradgen does not compute with."""


class TraceError(GradgenError, TypeError):
    """Python asks a traced value for what only a number has: a branch, an int, a float."""


class MutationError(TraceError):
    """Assignment into a NumPy array of a traced value, or into a traced value."""


class UnsupportedError(TraceError, NotImplementedError):
    """A NumPy function, or a form of one, that gradgen does not trace."""


class DifferentiationError(GradgenError, TypeError):
    """No derivative is defined: integer arguments, outputs that are not scalars, ops without a rule."""


class ArgumentError(GradgenError, ValueError):
    """Arguments or options that do not make sense: argnums out of range, a malformed signature."""


class NonFiniteError(GradgenError, FloatingPointError):
    """nan or inf where training needs numbers. `result`: the FitResult up to there, with the last good parameters."""

    result: Any = None


class GraphError(GradgenError, AssertionError):
    """An invariant of gradgen's own graphs is broken: a bug of gradgen, please report it."""


class CacheWarning(UserWarning):
    """The module cache can't be read or written; kernels work, but are compiled anew in each process."""


class UnrollWarning(UserWarning):
    """A Python loop was traced step by step into thousands of statements; a loop of gradgen's would stay one."""
