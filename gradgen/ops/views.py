"""Views: the same elements at other indices. All are linear, so each states its transpose and nothing else.

`index` maps an index of the result to one of the operand, in arithmetic that ints and index expressions share.
"""

from __future__ import annotations

import numpy as np

from gradgen.ir.sizes import product
from gradgen.ir.types import Type
from gradgen.ops.record import JOIN, SCATTER, VIEW, Op, register


def _view(name, eval, shape, index, transpose, **facts) -> Op:
    return register(
        Op(
            name,
            VIEW,
            eval,
            lambda types, attrs: Type(types[0].dtype, shape(types[0], **attrs)),
            index=index,
            transposes=(transpose,),
            flops=0,
            weight=0,
            **facts,
        )  # fmt: skip
    )


# -- broadcast_to: axes of size 1, and missing leading axes, repeat


def _broadcast_index(idx, x: Type, shape):
    lead = len(shape) - x.ndim
    return tuple(0 if x.shape[k] == 1 else idx[lead + k] for k in range(x.ndim))


def _broadcast_transpose(g, x, shape):
    lead = len(shape) - x.ndim
    axes = tuple(range(lead)) + tuple(k + lead for k in range(x.ndim) if x.shape[k] == 1 and shape[k + lead] != 1)
    return np.reshape(np.sum(g, axis=axes), x.shape) if axes else g


def _broadcast_shape(x: Type, shape):
    lead = len(shape) - x.ndim
    assert lead >= 0 and all(n in (1, m) for n, m in zip(x.shape, shape[lead:], strict=True)), (x, shape)
    return shape


broadcast_to = _view(
    "broadcast_to", lambda x, shape: np.broadcast_to(x, shape), _broadcast_shape, _broadcast_index, _broadcast_transpose
)

# -- transpose: axis k of the result is axis perm[k] of the operand


def _transpose_index(idx, x: Type, perm):
    return tuple(idx[perm.index(k)] for k in range(x.ndim))


transpose = _view(
    "transpose",
    lambda x, perm: np.transpose(x, perm),
    lambda x, perm: tuple(x.shape[k] for k in perm),
    _transpose_index,
    lambda g, x, perm: np.transpose(g, tuple(perm.index(k) for k in range(len(perm)))),
)

# -- reshape: row-major order is kept. Only unit axes have an index rule; any other reshape renames a buffer


def unit_axes_only(old, new) -> bool:
    """Whether two shapes differ in axes of size 1 alone."""
    return [n for n in old if n != 1] == [n for n in new if n != 1]


def _reshape_index(idx, x: Type, shape):
    if not unit_axes_only(x.shape, shape):
        return None
    kept = iter([i for i, n in zip(idx, shape, strict=True) if n != 1])
    return tuple(0 if n == 1 else next(kept) for n in x.shape)


def _reshape_shape(x: Type, shape):
    assert product(x.shape) == product(shape), (x.shape, shape)
    return shape


reshape = _view(
    "reshape",
    lambda x, shape: np.reshape(x, shape),
    _reshape_shape,
    _reshape_index,
    lambda g, x, shape: np.reshape(g, x.shape),
)

# -- slice and its transpose: starts and steps per axis, and the shape that results


def _slices(starts, steps, shape):
    return tuple(_slice(a, s, n) for a, s, n in zip(starts, steps, shape, strict=True))


def _slice(start, step, size) -> slice:
    if size == 0:
        return slice(0, 0)
    # A stop of -1 would count from the end: for steps downwards that reach index 0 the stop is None.
    stop = start + step * size
    return slice(start, stop if stop >= 0 else None, step)


def _strided_index(idx, x, starts, steps, shape):
    return tuple(a + i * s for a, i, s in zip(starts, idx, steps, strict=True))


slice_ = _view(
    "slice",
    lambda x, starts, steps, shape: x[_slices(starts, steps, shape)],
    lambda x, starts, steps, shape: shape,
    _strided_index,
    lambda g, x, starts, steps, shape: embed(g, starts=starts, steps=steps, shape=x.shape),
)


def _embed_eval(x, starts, steps, shape):
    out = np.zeros(shape, x.dtype)
    out[_slices(starts, steps, x.shape)] = x
    return out


# zeros of a shape, with the operand written at a slice
embed: Op = register(
    Op(
        "embed",
        SCATTER,
        _embed_eval,
        lambda types, a: Type(types[0].dtype, a["shape"]),
        combine="{x}",
        index=lambda idx, x, starts, steps, shape: _strided_index(idx, x, starts, steps, shape),
        transposes=(lambda g, x, starts, steps, shape: slice_(g, starts=starts, steps=steps, shape=x.shape),),
        flops=0,
    )  # fmt: skip
)

# -- concatenate


def _concatenate_type(types, attrs) -> Type:
    axis, first = attrs["axis"], types[0]
    total = sum((t.shape[axis] for t in types[1:]), first.shape[axis])
    return Type(first.dtype, (*first.shape[:axis], total, *first.shape[axis + 1 :]))


def part_starts(shapes, axis) -> list:
    """Where each operand of a concatenation begins."""
    starts = [0]
    for shape in shapes[:-1]:
        starts.append(starts[-1] + shape[axis])
    return starts


class _PartTranspose:
    """The cotangent of operand k of a concatenation: a slice of that of the result."""

    def __getitem__(self, k):
        def part(g, *xs, axis):
            starts = [0] * xs[k].ndim
            starts[axis] = part_starts([x.shape for x in xs], axis)[k]
            return slice_(g, starts=tuple(starts), steps=(1,) * xs[k].ndim, shape=xs[k].shape)

        return part

    def __bool__(self) -> bool:
        return True


concatenate = register(
    Op(
        "concatenate",
        JOIN,
        lambda *xs, axis: np.concatenate(xs, axis),
        _concatenate_type,
        transposes=_PartTranspose(),
        flops=0,
    )  # fmt: skip
)
