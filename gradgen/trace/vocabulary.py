"""How an implementation of a NumPy function is entered, and how axes and shapes are read."""

from __future__ import annotations

import operator

from gradgen.errors import ShapeError
from gradgen.ir.source import users_line
from gradgen.trace.protocol import FUNCTIONS, Traced, own


def traces(*names, method: str | None = None):
    """Register an implementation for functions of NumPy, and as a method of traced values."""

    def register(implementation):
        for name in names:
            FUNCTIONS[name] = implementation
        if method:
            setattr(
                Traced,
                method,
                lambda self, *args, **kwargs: own(method, implementation(self, *args, **kwargs), (self,)),
            )
        return implementation

    return register


def dim(size):
    """A user's size as ints and Dims."""
    return size.__gradgen_dim__ if hasattr(size, "__gradgen_dim__") else operator.index(size)


def dims(shape) -> tuple:
    return tuple(dim(n) for n in (shape if isinstance(shape, (tuple, list)) else (shape,)))


def axis_of(x, axis, what: str, ndim: int | None = None) -> int:
    ndim = x.ndim if ndim is None else ndim
    axis = operator.index(axis)
    if not -ndim <= axis < ndim:
        raise ShapeError(f"{what}: axis {axis} of {x.type}: it has {ndim} axes", where=users_line())
    return axis % ndim


def axes_of(x, axis, what: str) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.ndim))
    axes = tuple(sorted(axis_of(x, a, what) for a in (axis if isinstance(axis, (tuple, list)) else (axis,))))
    if len({*axes}) != len(axes):
        raise ShapeError(f"{what}: axis {axis} of {x.type}: an axis twice", where=users_line())
    return axes
