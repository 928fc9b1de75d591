"""Reductions over `axes`: a tuple of axes, counted from 0; the reduced axes vanish."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradgen.ir.sizes import product
from gradgen.ir.types import Type
from gradgen.ops.record import REDUCTION, Op, register


def kept_shape(shape, axes) -> tuple:
    return tuple(n for k, n in enumerate(shape) if k not in axes)


def spread(y, x, axes):
    """The result of a reduction (or its cotangent) laid out again over the operand's shape."""
    unit = tuple(1 if k in axes else n for k, n in enumerate(x.shape))
    return np.broadcast_to(np.reshape(y, unit), x.shape)


def _infer(dtype=None):
    return lambda types, attrs: Type(dtype or types[0].dtype, kept_shape(types[0].shape, attrs["axes"]))


def _reduction(name, eval, combine, identity, dtype=None, **facts) -> Op:
    return register(Op(name, REDUCTION, eval, _infer(dtype), combine=combine, identity=identity, **facts))


def _over(function):
    """The NumPy reduction that keeps the dtype (NumPy widens small ints, which tracing states as a cast)."""
    return lambda x, axes: function(x, axis=axes)


ANY = ((-3.0, 3.0),)
sum = _reduction(
    "sum", lambda x, axes: np.sum(x, axis=axes, dtype=np.asarray(x).dtype), "{acc} + {x}", lambda d: d.type(0),
    transposes=(lambda g, x, axes: spread(g, x, axes),), sample=ANY,
)  # fmt: skip


def arange_like(x, n):
    """0, 1, ..., n - 1: symbolic sizes included where x is traced."""
    return x.astype(np.int64).__gradgen_iota__(n) if hasattr(x, "__gradgen_iota__") else np.arange(n)


def _others(x: Any, axes) -> Any:
    """Per element, the product of all others of its group: right where some are 0, and to every order."""
    rest = tuple(k for k in range(x.ndim) if k not in axes)
    n: Any = product(x.shape[k] for k in axes)  # an int, or a symbolic size that rules may compute with
    flat = np.reshape(np.transpose(x, rest + axes), (*kept_shape(x.shape, axes), n))
    row = np.broadcast_to(np.reshape(flat, (*flat.shape[:-1], 1, n)), (*flat.shape[:-1], n, n))
    here = arange_like(x, n)
    others = np.prod(np.where(np.reshape(here, (n, 1)) == here, 1, row), axis=-1)
    back = tuple((rest + axes).index(k) for k in range(x.ndim))
    return np.transpose(np.reshape(others, tuple(x.shape[k] for k in rest + axes)), back)


# Quadratic in the size of a group, the price of being right at zeros in every derivative.
prod = _reduction(
    "prod", lambda x, axes: np.prod(x, axis=axes, dtype=np.asarray(x).dtype), "{acc} * {x}", lambda d: d.type(1),
    partials=lambda out, x, axes: (_others(x, axes),), sample=ANY,
)  # fmt: skip


def _lowest(dtype):
    return dtype.type(-np.inf) if dtype.kind == "f" else dtype.type(dtype.kind != "b" and np.iinfo(dtype).min)


def _highest(dtype):
    return dtype.type(np.inf) if dtype.kind == "f" else dtype.type(dtype.kind == "b" or np.iinfo(dtype).max)


def _share(out, x, axes):
    """1 to the winner; ties share equally."""
    winner = x == spread(out, x, axes)
    count = np.sum(winner.astype(x.dtype), axis=axes)
    return (np.where(winner, 1 / spread(count, x, axes), 0),)


def _winner(out, x, axes):
    return (x == spread(out, x, axes),)


_NAN_WINS = "{x} if {x} {sign} {acc} or {x} != {x} else {acc}"
max = _reduction(
    "max", _over(np.max), _NAN_WINS.replace("{sign}", ">"), _lowest, partials=_share, masks=_winner, sample=ANY
)
min = _reduction(
    "min", _over(np.min), _NAN_WINS.replace("{sign}", "<"), _highest, partials=_share, masks=_winner, sample=ANY
)
any = _reduction("any", _over(np.any), "{acc} | {x}", lambda d: np.False_, np.dtype(bool), sample=((0, 1),))
all = _reduction("all", _over(np.all), "{acc} & {x}", lambda d: np.True_, np.dtype(bool), sample=((0, 1),))


def _arg(name, function, beats):
    """Index of the first winner along one axis; `beats` joins a candidate with the best so far."""
    return register(
        Op(
            name,
            REDUCTION,
            lambda x, axes: np.asarray(function(x, axis=axes[0])),
            _infer(np.dtype(np.int64)),
            combine=beats,
            identity=_lowest if name == "argmax" else _highest,
            index=lambda idx, x, axes: idx[axes[0]],
            sample=ANY,
        )  # fmt: skip
    )


# A nan wins, and the first nan stays: as in NumPy.
argmax = _arg("argmax", np.argmax, "{x} > {acc} or ({x} != {x} and {acc} == {acc})")
argmin = _arg("argmin", np.argmin, "{x} < {acc} or ({x} != {x} and {acc} == {acc})")
