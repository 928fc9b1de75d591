"""Expressions and indices of the loop program as Python text."""

from __future__ import annotations

import ast
import math
from functools import lru_cache

import numpy as np

from gradgen.ir.sizes import Dim, Size
from gradgen.schedule.program import Apply, Combine, Index, Load, Local, Number, Position, SizeOf
from gradgen.schedule.tidy import emit_template

# How a number becomes this dtype in Numba, where a bare literal is int64 or float64.
CASTS = {"float32": "f32", "float64": "f64", "int64": "i64", "bool": "bool"}


def cast(dtype: np.dtype) -> str:
    return CASTS.get(dtype.name, f"np.{dtype.name}")


def number(value, dtype: np.dtype) -> str:
    if dtype.kind == "b":
        return str(bool(value))
    if dtype.kind == "f":
        value = float(value)
        text = repr(value) if math.isfinite(value) else "math.nan" if value != value else f"{'-' * (value < 0)}math.inf"
        if math.isfinite(value) and dtype == np.float32:
            text = repr(float(str(np.float32(value))))  # the shortest text of that float32
        return text if dtype == np.float64 else f"f32({text})"
    return str(int(value)) if dtype == np.int64 else f"np.{dtype.name}({int(value)})"


def size(value: Size) -> str:
    return str(value)


class Expressions:
    """Text of expressions; collects the vectorisable functions that they call."""

    def __init__(self, names, parallel: bool = False):
        self.names, self.parallel = names, parallel
        self.needs: set[str] = set()
        self.depth = 0  # of the loop that is being printed

    def text(self, expr) -> str:
        """With the parentheses that Python needs, and no others."""
        return _normal(self._text(expr))

    def _text(self, expr) -> str:
        if isinstance(expr, Number):
            return number(expr.value, expr.dtype)
        if isinstance(expr, Local):
            return self.names[expr.name]
        if isinstance(expr, Load):
            return self.at(expr.buffer, expr.index)
        if isinstance(expr, Apply):
            return self._apply(expr)
        if isinstance(expr, Combine):
            return "(" + expr.template.format(acc=self._text(expr.acc), x=f"({self._text(expr.x)})") + ")"
        if isinstance(expr, Position):
            index = self.index(expr.index)
            plain = expr.dtype == np.int64 and not self.parallel  # the index of a prange is unsigned
            return f"({index})" if plain else f"{cast(expr.dtype)}({index})"
        assert isinstance(expr, SizeOf)
        return f"{cast(expr.dtype)}({size(expr.size)})"

    def _apply(self, expr: Apply) -> str:
        operand = expr.args[0].dtype if expr.args else expr.dtype
        bits = operand.itemsize * 8
        parts = {k: f"({self._text(a)})" for k, a in zip("xyz", expr.args, strict=False)}
        single = expr.op.single if self.depth == 0 else None
        if expr.op.needs and not single:
            self.needs.add(expr.op.needs.format(bits=bits))
        text = (single or emit_template(expr)).format(
            **parts, bits=bits, zero=number(0, operand), one=number(1, operand), dtype=cast(expr.dtype)
        )
        if expr.dtype.kind in "iu" and expr.dtype.itemsize < 8:
            text = f"{cast(expr.dtype)}({text})"  # Numba computes with 64 bits
        return f"({text})"

    def index(self, i: Index) -> str:
        parts = []
        for name, coefficient in i.terms:
            factor = f"({coefficient})" if isinstance(coefficient, Dim) else str(coefficient)
            parts.append(self.names[name] if coefficient == 1 else f"{factor} * {self.names[name]}")
        if i.const != 0 or not parts:
            parts.append(f"({i.const})" if isinstance(i.const, Dim) else str(i.const))
        return _normal(" + ".join(parts))

    def at(self, buffer, index) -> str:
        return f"{self.names[buffer]}[{', '.join(self.index(i) for i in index)}]"


@lru_cache(maxsize=65536)
def _normal(text: str) -> str:
    return _minus(ast.unparse(ast.parse(text, mode="eval")))


def _minus(text: str) -> str:
    return text.replace("+ -", "- ")
