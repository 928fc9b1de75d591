"""NumPy's shape functions on traced values, as views and joins."""

from __future__ import annotations

import numpy as np

from gradgen.errors import ShapeError, UnsupportedError
from gradgen.ir.sizes import divide_exactly, freeze, holds, product, same
from gradgen.ir.source import users_line
from gradgen.ops import views
from gradgen.trace import promotion
from gradgen.trace.promotion import exemplar, lift
from gradgen.trace.protocol import Traced
from gradgen.trace.vocabulary import axes_of, axis_of, dims, traces


@traces(np.reshape)
def reshape(x, shape, order="C"):
    if order != "C":
        raise UnsupportedError(f"reshape with order={order!r}", where=users_line(), hint="transpose, then reshape")
    sizes = list(dims(shape))
    total = product(x.type.shape)
    if sizes.count(-1) == 1:
        k = sizes.index(-1)
        rest = product(sizes[:k] + sizes[k + 1 :])
        sizes[k] = _rest(total, rest)
    if -1 in sizes or None in sizes or not same(product(sizes), total):
        raise ShapeError(f"reshape: {x.type} has {total} elements, shape {tuple(dims(shape))} asks for others",
                         where=users_line())  # fmt: skip
    return x if tuple(sizes) == x.type.shape else views.reshape(x, shape=tuple(sizes))


def _rest(total, known):
    """The size that -1 stands for, None where there is none; sizes that do not divide as symbols become numbers."""
    if known == 0:
        return 0
    exact = divide_exactly(total, known)
    return exact if exact is not None else divide_exactly(freeze(total), freeze(known))


Traced.reshape = lambda self, *shape, order="C": reshape(  # type: ignore[attr-defined]
    self, shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape, order
)


@traces(np.ravel, method="ravel")
def ravel(x, order="C"):
    return reshape(x, (-1,), order)


Traced.flatten = ravel  # type: ignore[attr-defined]


@traces(np.transpose)
def transpose(x, axes=None):
    perm = tuple(axis_of(x, a, "transpose") for a in axes) if axes is not None else tuple(reversed(range(x.ndim)))
    if sorted(perm) != list(range(x.ndim)):
        raise ShapeError(f"transpose: axes {axes} of {x.type}: not a permutation", where=users_line())
    return x if perm == tuple(range(x.ndim)) else views.transpose(x, perm=perm)


Traced.T = property(transpose)  # type: ignore[attr-defined]
Traced.mT = property(lambda self: swapaxes(self, -1, -2))  # type: ignore[attr-defined]
Traced.transpose = lambda self, *axes: transpose(  # type: ignore[attr-defined]
    self, None if not axes or axes == (None,) else axes[0] if isinstance(axes[0], (tuple, list)) else axes
)


@traces(np.swapaxes, method="swapaxes")
def swapaxes(x, axis1, axis2):
    perm = list(range(x.ndim))
    a, b = axis_of(x, axis1, "swapaxes"), axis_of(x, axis2, "swapaxes")
    perm[a], perm[b] = b, a
    return transpose(x, perm)


@traces(np.moveaxis)
def moveaxis(x, source, destination):
    given = [axes if isinstance(axes, (tuple, list)) else (axes,) for axes in (source, destination)]
    sources, destinations = ([axis_of(x, a, "moveaxis") for a in axes] for axes in given)
    if len({*sources}) != len(sources) or len({*destinations}) != len(sources) or len(destinations) != len(sources):
        raise ShapeError(f"moveaxis: axes {source} of {x.type} to {destination}", where=users_line(),
                         hint="as many places as axes, none of them twice")  # fmt: skip
    perm = [k for k in range(x.ndim) if k not in sources]
    for place, axis in sorted(zip(destinations, sources, strict=True)):
        perm.insert(place, axis)
    return transpose(x, perm)


@traces(np.broadcast_to)
def broadcast_to(x, shape, subok=False):
    shape = dims(shape)
    lead = len(shape) - x.ndim
    if lead < 0 or not all(n == 1 or same(n, m) for n, m in zip(x.type.shape, shape[lead:], strict=True)):
        promotion.freeze_ones(*x.type.shape)
        raise ShapeError(f"broadcast_to: {x.type} does not broadcast to {shape}", where=users_line())
    return promotion.broadcast(x, shape)


@traces(np.expand_dims)
def expand_dims(x, axis):
    axes = axis if isinstance(axis, tuple) else (axis,)
    places = {axis_of(x, a, "expand_dims", x.ndim + len(axes)) for a in axes}
    rest = iter(x.type.shape)
    return views.reshape(x, shape=tuple(1 if k in places else next(rest) for k in range(x.ndim + len(axes))))


@traces(np.squeeze, method="squeeze")
def squeeze(x, axis=None):
    ones = tuple(k for k, n in enumerate(x.type.shape) if n == 1 or not holds(n, "!=", 1))
    axes = axes_of(x, axis, "squeeze") if axis is not None else ones
    for k in axes:
        if x.type.shape[k] != 1:
            raise ShapeError(f"squeeze: axis {k} of {x.type} has size {x.type.shape[k]}, not 1", where=users_line())
    return reshape(x, tuple(n for k, n in enumerate(x.type.shape) if k not in axes)) if axes else x


@traces(np.concatenate)
def concatenate(arrays, axis=0, dtype=None):
    like = exemplar(arrays)
    parts = [lift(a, like) for a in arrays]
    if axis is None:
        parts, axis = [ravel(p) for p in parts], 0
    if parts[0].ndim == 0:
        raise ShapeError("concatenate: scalars have no axis to join", where=users_line(), hint="np.stack joins scalars")
    axis = axis_of(parts[0], axis, "concatenate")
    result = np.dtype(dtype) if dtype is not None else np.result_type(*(p.dtype for p in parts))
    for p in parts[1:]:
        fits = p.ndim == parts[0].ndim and all(
            k == axis or same(n, m) for k, (n, m) in enumerate(zip(p.type.shape, parts[0].type.shape, strict=True))
        )
        if not fits:
            raise ShapeError(f"concatenate: {', '.join(str(q.type) for q in parts)}: sizes differ off axis {axis}",
                             where=users_line())  # fmt: skip
    parts = [promotion.cast(p, result) for p in parts]
    return views.concatenate(*parts, axis=axis) if len(parts) > 1 else parts[0]


@traces(np.stack)
def stack(arrays, axis=0):
    like = exemplar(arrays)
    parts = [lift(a, like) for a in arrays]
    return concatenate([expand_dims(p, axis) for p in parts], axis_of(parts[0], axis, "stack", parts[0].ndim + 1))


def _at_least(x, ndim):
    return x if x.ndim >= ndim else reshape(x, (1,) * (ndim - x.ndim) + x.type.shape)


@traces(np.vstack)
def vstack(arrays):
    like = exemplar(arrays)
    return concatenate([_at_least(lift(a, like), 2) for a in arrays], 0)


@traces(np.hstack)
def hstack(arrays):
    like = exemplar(arrays)
    parts = [_at_least(lift(a, like), 1) for a in arrays]
    return concatenate(parts, 0 if parts[0].ndim == 1 else 1)


@traces(np.flip)
def flip(x, axis=None):
    axes = axes_of(x, axis, "flip")
    return x[tuple(slice(None, None, -1) if k in axes else slice(None) for k in range(x.ndim))]


@traces(np.diff)
def diff(x, n=1, axis=-1):
    axis = axis_of(x, axis, "diff")
    head = (slice(None),) * axis
    for _ in range(n):
        x = x[(*head, slice(1, None))] - x[(*head, slice(None, -1))]
    return x
