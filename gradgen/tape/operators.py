"""Python's operators on boxes: straight to `record`, without the detour through NumPy."""

from __future__ import annotations

import numpy as np

from gradgen.ops import arithmetic
from gradgen.ops.record import Op
from gradgen.tape.box import PLAIN, Box, record
from gradgen.tape.gates import PYTHON


def _binary(op: Op):
    def forward(self, other):
        if other.__class__ in PLAIN or isinstance(other, (Box, np.ndarray, np.generic)):
            return record(op, (self, other), by_operator=True)
        return NotImplemented

    def backward(self, other):
        if other.__class__ in PLAIN or isinstance(other, (np.ndarray, np.generic)):
            return record(op, (other, self), by_operator=True)
        return NotImplemented

    return forward, backward


def _unary(op: Op):
    return lambda self: record(op, (self,), by_operator=True)


def _square_where_two(power):
    """x**2 is x*x, exactly and for every dtype."""
    square = _unary(arithmetic.square)
    return lambda self, other: square(self) if other.__class__ in PYTHON and other == 2 else power(self, other)


for _name, _op in {
    "add": arithmetic.add, "sub": arithmetic.subtract, "mul": arithmetic.multiply, "truediv": arithmetic.divide,
    "floordiv": arithmetic.floor_divide, "mod": arithmetic.remainder, "pow": arithmetic.power,
}.items():  # fmt: skip
    _forward, _backward = _binary(_op)
    setattr(Box, f"__{_name}__", _square_where_two(_forward) if _op is arithmetic.power else _forward)
    setattr(Box, f"__r{_name}__", _backward)
for _name, _op in {
    "lt": arithmetic.less, "le": arithmetic.less_equal, "gt": arithmetic.greater, "ge": arithmetic.greater_equal,
    "eq": arithmetic.equal, "ne": arithmetic.not_equal,
}.items():  # fmt: skip
    setattr(Box, f"__{_name}__", _binary(_op)[0])
for _name, _op in {"neg": arithmetic.negative, "abs": arithmetic.absolute}.items():
    setattr(Box, f"__{_name}__", _unary(_op))
