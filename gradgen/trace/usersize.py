"""Symbolic sizes in the user's hands."""

from __future__ import annotations

import math

import numpy as np

from gradgen.ir import sizes
from gradgen.ir.source import users_line
from gradgen.ops import leaves


class UserSize:
    """A symbolic size in the user's hands: ints and sizes keep it symbolic, floats make it a traced value, and a
    question about it (==, <, range) is answered by the call being traced and guarded."""

    __slots__ = ("__gradgen_dim__", "like")
    __array_priority__ = 900

    def __init__(self, dim, like):
        self.__gradgen_dim__, self.like = dim, like

    def __gradgen_size__(self):
        node = self.like.builder.add(leaves.size, (), {"size": self.__gradgen_dim__}, users_line())
        return type(self.like)(self.like.builder, node, weak=True)

    def __index__(self) -> int:
        return sizes.freeze(self.__gradgen_dim__)

    __int__ = __trunc__ = __round__ = __index__

    def __float__(self) -> float:
        return float(self.__index__())

    def __hash__(self) -> int:
        return hash(self.__index__())

    def __bool__(self) -> bool:
        return self != 0

    def __format__(self, spec: str) -> str:
        return format(self.__index__(), spec)

    def __array__(self, dtype=None, copy=None):
        return np.array(self.__index__(), dtype)

    def __mod__(self, other):
        return self - self // other * other

    def __divmod__(self, other):
        return self // other, self % other

    def __pow__(self, other):
        if isinstance(other, int) and 0 <= other < 8:
            return math.prod([self] * other)
        return self.__gradgen_size__() ** _value(other)

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        return getattr(ufunc, method)(*(_value(x) for x in inputs), **options)

    def __repr__(self) -> str:
        return f"<size {self.__gradgen_dim__}>"


def _value(x):
    return x.__gradgen_size__() if isinstance(x, UserSize) else x


def _arithmetic(name: str):
    def compute(self, other):
        if isinstance(other, (int, np.integer, UserSize)) and name in _EXACT:
            other = other.__gradgen_dim__ if isinstance(other, UserSize) else int(other)
            result = getattr(self.__gradgen_dim__, name)(other)
            return UserSize(result, self.like) if isinstance(result, sizes.Dim) else result
        return getattr(self.__gradgen_size__(), name)(_value(other))

    return compute


_EXACT = {"__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__", "__floordiv__", "__rfloordiv__"}
for _name in (*_EXACT, "__truediv__", "__rtruediv__", "__rpow__", "__rmod__"):
    setattr(UserSize, _name, _arithmetic(_name))
setattr(UserSize, "__neg__", lambda self: self * -1)  # noqa: B010  like the others above


def _relation(name: str, relation: str):
    def compare(self, other):
        if not isinstance(other, (int, np.integer, UserSize)):
            return NotImplemented
        a, b = self.__gradgen_dim__, other.__gradgen_dim__ if isinstance(other, UserSize) else int(other)
        if a != b and sizes.hint(a - b) is None:
            sizes.freeze(a - b)  # says how to declare it
        return sizes.holds(a, relation, b)

    setattr(UserSize, name, compare)


for _name, _sign in {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}.items():
    _relation(f"__{_name}__", _sign)
