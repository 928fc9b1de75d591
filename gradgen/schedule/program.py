"""The loop program: what stands between graph and source. Printers (Python, C) decide nothing beyond it.

    Program   = buffers, results, body
    Statement = Loop(var, extent, body) | Assign(name, expr) | Store(buffer, index, expr)
              | Update(buffer, index, combine, expr) | Fill(buffer, index, value) | CheckIndex(name, size)
              | Best(value, position, better, candidate, index) | Call(op, out, operands) | CallAdd(..., expr)
              | While(var, limit, body) | Stop(expr) | If(expr, then, otherwise)
              | Length(name, expr) | Allocate(buffer, rows) | Grow(buffer, rows) | View(buffer) | Swap(a, b)
    Expr      = Number(value) | Local(name) | Load(buffer, index) | Apply(op, args) | Position(index) | SizeOf(size)
    Index     = const + coeff*var + ...      var: a loop variable or a local that holds an index

Every Expr and Assign has a dtype. A local is assigned in one place; an accumulator or a carry (`Assign.again`) is
reassigned inside the loops that follow, a result of a branch in both of its sides. A buffer may be a row of another
(`prefix`: the leading indices). `walks.check` states these rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradgen.ir.graph import Node
from gradgen.ir.sizes import Size
from gradgen.ops.record import Op

# -- indices


@dataclass(frozen=True)
class Index:
    """An affine index: const + sum of coeff * variable."""

    const: Size = 0
    terms: tuple[tuple[str, Size], ...] = ()

    def __add__(self, other):
        if not isinstance(other, Index):
            return Index(self.const + other, self.terms)
        terms = dict(self.terms)
        for name, coefficient in other.terms:
            terms[name] = terms.get(name, 0) + coefficient
        return Index(self.const + other.const, tuple(sorted((n, c) for n, c in terms.items() if c != 0)))

    __radd__ = __add__

    def __mul__(self, factor):
        return Index(self.const * factor, tuple((n, c * factor) for n, c in self.terms)) if factor != 0 else Index()

    __rmul__ = __mul__

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.terms)

    def is_variable(self, name: str) -> bool:
        return self == variable(name)

    def renamed(self, names: dict[str, str]) -> Index:
        return Index(self.const, tuple(sorted((names.get(n, n), c) for n, c in self.terms)))


def variable(name: str) -> Index:
    return Index(0, ((name, 1),))


def as_index(i) -> Index:
    return i if isinstance(i, Index) else Index(i)


# -- expressions


@dataclass(frozen=True)
class Number:
    value: Any
    dtype: np.dtype


@dataclass(frozen=True)
class Local:
    name: str
    dtype: np.dtype


@dataclass(frozen=True, eq=False)
class Buffer:
    """Storage. `role`: input, output, constant, temp, or stack (allocated where the run tells its size).

    `base`: the buffer whose elements it renames (a reshape), or of which it is the part at the index `prefix`.
    """

    name: str
    dtype: np.dtype
    shape: tuple[Size, ...]
    role: str
    base: Buffer | None = None
    node: Node | None = None
    prefix: tuple[Index, ...] = ()

    @property
    def storage(self) -> Buffer:
        return self.base.storage if self.base is not None else self


def element(buffer: Buffer, index: tuple[Index, ...]) -> tuple[Buffer, tuple[Index, ...]]:
    """The buffer and index of an element, where the buffer may be a row of another."""
    while buffer.prefix:
        buffer, index = buffer.base, (*buffer.prefix, *index)  # type: ignore[assignment]
    return buffer, index


@dataclass(frozen=True)
class Load:
    buffer: Buffer
    index: tuple[Index, ...]
    dtype: np.dtype


@dataclass(frozen=True)
class Apply:
    op: Op
    args: tuple
    dtype: np.dtype


@dataclass(frozen=True)
class Combine:
    """How a reduction joins two values: `template` over {acc} and {x}."""

    template: str
    acc: Any
    x: Any
    dtype: np.dtype


@dataclass(frozen=True)
class Position:
    """An index as a number."""

    index: Index
    dtype: np.dtype


@dataclass(frozen=True)
class SizeOf:
    size: Size
    dtype: np.dtype


Expr = Number | Local | Load | Apply | Combine | Position | SizeOf

# -- statements


@dataclass
class Assign:
    name: str
    expr: Any
    node: Node | None = None
    again: bool = False  # reassigns an accumulator


@dataclass
class Store:
    buffer: Buffer
    index: tuple[Index, ...]
    expr: Any
    node: Node | None = None


@dataclass
class Update:
    """buffer[index] = combine(buffer[index], expr)"""

    buffer: Buffer
    index: tuple[Index, ...]
    template: str
    expr: Any
    node: Node | None = None


@dataclass
class Fill:
    """buffer[index, ...] = value, over all axes that the index leaves out."""

    buffer: Buffer
    index: tuple[Index, ...]
    value: Number
    node: Node | None = None


@dataclass
class CheckIndex:
    """Count `name` from the end if negative; IndexError unless it lies in [0, size)."""

    name: str
    expr: Any
    size: Size
    node: Node | None = None


@dataclass
class Best:
    """if better(acc, x): acc, position = x, index"""

    acc: str
    position: str
    template: str
    x: Any
    index: Index
    node: Node | None = None


@dataclass
class Operand:
    """An operand of a library call: a buffer of matrices, transposed or not; `shared`: one matrix for all batches."""

    buffer: Buffer
    transposed: bool = False
    shared: bool = False


@dataclass
class Call:
    op: Op
    out: Buffer
    operands: tuple[Operand, ...]
    node: Node | None = None


@dataclass
class CallAdd(Call):
    """out += expr * call"""

    expr: Any = None


@dataclass
class Loop:
    """`carried`: a step may need what the one before it did; `reverse`: the last index comes first."""

    var: str
    extent: Size
    body: list = field(default_factory=list)
    carried: bool = False
    reverse: bool = False
    node: Node | None = None


@dataclass
class Program:
    """`inputs`: a buffer per array input, a local per scalar input. `results`: likewise, in order of the outputs."""

    name: str
    inputs: list
    results: list
    body: list
    constants: dict[Buffer, np.ndarray] = field(default_factory=dict)
    offsets: dict[Buffer, Size] = field(default_factory=dict)  # temp -> first element in its dtype's workspace
    workspace: dict[np.dtype, Size] = field(default_factory=dict)  # dtype -> number of elements
    parts: list[Program] = field(default_factory=list)  # run before the body, where it would be too long (cut.py)
