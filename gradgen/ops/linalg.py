"""Library calls over whole arrays. Transposed operands reach BLAS as flags, without a copy."""

from __future__ import annotations

import numpy as np

from gradgen.ir.types import Type
from gradgen.ops.record import CALL, Op, register


def _matmul_type(types, attrs) -> Type:
    a, b = types
    assert a.ndim >= 2 and a.shape[:-2] == b.shape[:-2] and a.shape[-1] == b.shape[-2], f"matmul {a} {b}"
    return Type(a.dtype, (*a.shape[:-1], b.shape[-1]))


def _swap(x):
    return np.swapaxes(x, -1, -2)


def _row_counts(mask, a, b):
    return np.broadcast_to(np.any(mask, axis=-1, keepdims=True), a.shape)


def _column_counts(mask, a, b):
    return np.broadcast_to(np.any(mask, axis=-2, keepdims=True), b.shape)


# (..., m, k) @ (..., k, n) with equal leading axes; vectors and broadcasting are views around it
matmul = register(
    Op(
        "matmul",
        CALL,
        lambda a, b: np.matmul(a, b),
        _matmul_type,
        flops=2,
        weight=0.2,
        sample=((-1.0, 1.0),) * 2,
        counts=(_row_counts, _column_counts),
        transposes=(lambda g, a, b: np.matmul(g, _swap(b)), lambda g, a, b: np.matmul(_swap(a), g)),
    )  # fmt: skip
)


def _matmul_add_type(types, attrs) -> Type:
    a, b, base, scale = types
    assert base == _matmul_type((a, b), attrs) and scale == Type(a.dtype, ()), f"matmul_add {a} {b} {base} {scale}"
    return base


# base + scale * (a @ b) as BLAS has it. Made by passes/products.py from a differentiated graph: it has no rules.
matmul_add = register(
    Op(
        "matmul_add",
        CALL,
        lambda a, b, base, scale: base + scale * np.matmul(a, b),
        _matmul_add_type,
        onto=2,
        flops=2,
        weight=0.2,
    )  # fmt: skip
)
