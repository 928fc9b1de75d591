"""Products of a small matrix and a vector, as loops: a call of BLAS would cost more than they do.

    W @ x      for j: out[j] = sum over k of W[j, k] * x[k]
    W.T @ x    the same with a transposed copy of W, where W is made outside of the loop around; else
               out = 0 ; for k: for j: out[j] += W[k, j] * x[k]

The inner loop runs along the rows as they lie in memory. The sums are the faster ones: they stay in registers.
"""

from __future__ import annotations

from gradgen.ir.graph import Node
from gradgen.ops import arithmetic
from gradgen.schedule.lower import LOOP, Lowerer
from gradgen.schedule.program import (
    Apply,
    Assign,
    Buffer,
    Combine,
    Fill,
    Index,
    Load,
    Local,
    Number,
    Operand,
    Store,
    Update,
    element,
    variable,
)  # fmt: skip

SMALL = 4096  # elements of the matrix
ADD = "{acc} + {x}"


def is_small(node: Node) -> bool:
    """Whether a matrix product is one of a small matrix and a vector, in sizes that are known."""
    if node.op.onto is not None or node.type.ndim != 2 or not node.type.is_float:
        return False
    a, b = node.inputs
    if not all(isinstance(n, int) for n in (*a.shape, *b.shape)):
        return False
    column, row = b.shape[1] == 1, a.shape[0] == 1
    return (column or row) and a.shape[0] * a.shape[1] * b.shape[1] <= SMALL


def emit_small(lowerer: Lowerer, out: Buffer, operands: tuple[Operand, ...], node: Node) -> None:
    """The loops of such a product."""
    left, right = operands
    column = node.inputs[1].shape[1] == 1
    matrix, vector = (left, right) if column else (right, left)
    if matrix.transposed == column:  # the sum runs across the rows
        copy = _transposed(lowerer, matrix.buffer, node)
        if copy is None:
            _emit_across(lowerer, _Places(out, matrix.buffer, vector.buffer, column, node), matrix.buffer.shape)
            return
        matrix = Operand(copy)
    _emit_along(lowerer, _Places(out, matrix.buffer, vector.buffer, column, node), matrix.buffer.shape)


def _emit_along(lowerer: Lowerer, at: _Places, shape: tuple) -> None:
    node, (rows, length) = at.node, shape
    j, k = lowerer.fresh("i"), lowerer.fresh("i")
    lowerer.open(j)
    total = Local(lowerer.fresh("a"), node.dtype)
    lowerer.emit(Assign(total.name, Number(0.0, node.dtype), node))
    lowerer.open(k)
    product = at.product(variable(j), variable(k), variable(k))
    lowerer.emit(Assign(total.name, Combine(ADD, total, product, node.dtype), node, again=True))
    lowerer.emit(lowerer.close(length))
    place, index = at.out(variable(j))
    lowerer.emit(Store(place, index, total, node))
    lowerer.emit(lowerer.close(rows))


def _emit_across(lowerer: Lowerer, at: _Places, shape: tuple) -> None:
    node, (rows, length) = at.node, shape
    j, k = lowerer.fresh("i"), lowerer.fresh("i")
    lowerer.emit(Fill(*element(at.target, ()), Number(0.0, node.dtype), node))
    lowerer.open(k)
    lowerer.open(j)
    place, index = at.out(variable(j))
    lowerer.emit(Update(place, index, ADD, at.product(variable(k), variable(j), variable(k)), node))
    lowerer.emit(lowerer.close(length))
    lowerer.emit(lowerer.close(rows))


def _transposed(lowerer: Lowerer, matrix: Buffer, node: Node) -> Buffer | None:
    """A transposed copy, made before the loop around; None where the matrix is made within that loop, or none is."""
    border = lowerer.border(LOOP)
    if border == 0 or matrix.prefix or lowerer.home.get(matrix.storage, 0) >= border:
        return None
    key = (matrix, "transposed")
    found = lowerer.known(key)
    if found is None:
        shape = matrix.shape[::-1]
        found = Buffer(lowerer.fresh("t"), matrix.dtype, shape, "temp", None, node)
        inner, lowerer.frames = lowerer.frames[border:], lowerer.frames[:border]
        j, k = lowerer.fresh("i"), lowerer.fresh("i")
        lowerer.open(j)
        lowerer.open(k)
        value = Load(*element(matrix, (variable(k), variable(j))), matrix.dtype)
        lowerer.emit(Store(found, (variable(j), variable(k)), value, node))
        lowerer.emit(lowerer.close(shape[1]))
        lowerer.emit(lowerer.close(shape[0]))
        lowerer.frames[-1].known[key] = found
        lowerer.home[found] = border - 1
        lowerer.frames += inner
    return found


class _Places:
    """Elements of the operands and of the result by one index each."""

    def __init__(self, out: Buffer, matrix: Buffer, vector: Buffer, column: bool, node: Node):
        self.target, self.matrix, self.vector, self.column, self.node = out, matrix, vector, column, node

    def out(self, j: Index):
        return element(self.target, (j, Index()) if self.column else (Index(), j))

    def product(self, row: Index, place: Index, k: Index) -> Apply:
        dtype, vector = self.node.dtype, self.vector
        flat = (k, Index()) if vector.shape[1] == 1 else (Index(), k)
        a = Load(*element(self.matrix, (row, place)), dtype)
        return Apply(arithmetic.multiply, (a, Load(*element(vector, flat), dtype)), dtype)
