"""Products of vectors and matrices: broadcasting and vectors become views around one `matmul`."""

from __future__ import annotations

import numpy as np

from gradgen.errors import ShapeError
from gradgen.ir.sizes import same
from gradgen.ir.source import users_line
from gradgen.ops import linalg, views
from gradgen.trace import promotion
from gradgen.trace.promotion import exemplar, lift, loop_dtypes
from gradgen.trace.vocabulary import traces


def _pair(a, b, what: str):
    """Both operands traced, of one dtype, their inner sizes checked."""
    like = exemplar((a, b))
    dtypes = _result_dtype(a, b)
    a, b = (promotion.cast(lift(x, like), dtypes) for x in (a, b))
    inner = b.type.shape[-2 if b.ndim > 1 else 0] if b.ndim else 0
    if a.ndim and b.ndim and not same(a.type.shape[-1], inner):
        raise ShapeError(f"{what}: {a.type} @ {b.type}: inner sizes differ ({a.type.shape[-1]} and {inner})",
                         where=users_line(), hint="last axis of the left, last but one of the right")  # fmt: skip
    return a, b


def _result_dtype(a, b):
    from gradgen.ops.arithmetic import multiply

    return loop_dtypes(multiply, (a, b))[-1]


@traces(np.matmul, method="__gradgen_matmul__")
def matmul(a, b):
    a, b = _pair(a, b, "matmul")
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError(f"matmul: {a.type} @ {b.type}: a scalar", where=users_line(), hint="use * for scalars")
    if a.ndim == 1 and b.ndim == 1:
        return np.sum(a * b) if a.dtype.kind == "f" else _sums_of_products(a[None, :], b[:, None])[0, 0]
    left, right = (views.reshape(a, shape=(1, *a.type.shape)) if a.ndim == 1 else a), b
    if b.ndim == 1:
        right = views.reshape(b, shape=(*b.type.shape, 1))
    lead = promotion.broadcast_shapes("matmul", [_leading(left), _leading(right)])
    left = promotion.broadcast(left, (*lead, *left.type.shape[-2:]))
    right = promotion.broadcast(right, (*lead, *right.type.shape[-2:]))
    out = linalg.matmul(left, right) if left.dtype.kind == "f" else _sums_of_products(left, right)
    shape = list(out.type.shape)
    if b.ndim == 1:
        del shape[-1]
    if a.ndim == 1:
        del shape[-1 if b.ndim == 1 else -2]
    return views.reshape(out, shape=tuple(shape)) if len(shape) != out.ndim else out


def _sums_of_products(a, b):
    """matmul of ints and bools, which BLAS does not have."""
    products = a[..., :, :, None] * b[..., None, :, :]
    if a.dtype.kind == "b":
        return np.any(products, axis=-2)
    return promotion.cast(np.sum(products, axis=-2), a.dtype)


def _leading(x):
    return x.type.with_shape(x.type.shape[:-2])


@traces(np.dot, method="dot")
def dot(a, b):
    like = exemplar((a, b))
    a, b = (x if hasattr(x, "ndim") else lift(x, like) for x in (a, b))
    if a.ndim == 0 or b.ndim == 0:
        return np.multiply(a, b)
    if b.ndim <= 2:
        return matmul(a, b)
    a, b = _pair(a, b, "dot")
    flat_a = a.reshape((-1, a.type.shape[-1]))
    flat_b = np.moveaxis(b, -2, 0).reshape((b.type.shape[-2], -1))
    rest = (*b.type.shape[:-2], b.type.shape[-1])
    return matmul(flat_a, flat_b).reshape((*a.type.shape[:-1], *rest))


@traces(np.inner)
def inner(a, b):
    like = exemplar((a, b))
    a, b = lift(a, like), lift(b, like)
    return np.multiply(a, b) if a.ndim == 0 or b.ndim == 0 else dot(a, np.moveaxis(b, -1, max(b.ndim - 2, 0)))


@traces(np.outer)
def outer(a, b):
    like = exemplar((a, b))
    return lift(a, like).ravel()[:, None] * lift(b, like).ravel()[None, :]
