"""Types that must agree: of a carry before and after a step, of what two branches return. Python numbers give way."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradgen.errors import DTypeError, ShapeError
from gradgen.ir.sizes import same
from gradgen.ir.source import users_line
from gradgen.ir.types import Type
from gradgen.trace import promotion
from gradgen.trace.tracer import Tracer


def widened(what: str, init: Tracer, new: Tracer) -> Tracer:
    """The first carry in the type that the body gives it, where it may change: Python numbers take any."""
    fits = init.ndim == new.ndim and all(same(n, m) for n, m in zip(init.type.shape, new.type.shape, strict=True))
    if fits and (init.dtype == new.dtype or (new.weak and not init.weak)):
        return init
    if init.weak and init.dtype.kind != "b" and (new.dtype.kind == "f" or init.dtype.kind == new.dtype.kind):
        return converted(init, new.type, weak=new.weak)
    kind: Any = DTypeError if fits else ShapeError
    raise kind(f"{what}: the body turns a carry of type {init.type} into {new.type}", where=users_line(),
               hint="a carry keeps its dtype and shape: .astype, np.broadcast_to of its start")  # fmt: skip


def converted(x: Tracer, type_: Type, weak: bool = False) -> Tracer:
    out = promotion.broadcast(promotion.cast(x, type_.dtype), type_.shape)
    return Tracer(out.builder, out.node, weak or (x.weak and out.node is x.node))


def agreed(what: str, a: Tracer, b: Tracer) -> tuple[Tracer, Tracer]:
    """Both branches' result in one type."""
    if a.weak and not b.weak and a.ndim == 0:
        return converted(a, b.type), b
    if b.weak and not a.weak and b.ndim == 0:
        return a, converted(b, a.type)
    fits = a.ndim == b.ndim and all(same(n, m) for n, m in zip(a.type.shape, b.type.shape, strict=True))
    if a.weak and b.weak and a.dtype != b.dtype:
        wide = Type(np.result_type(a.dtype, b.dtype), a.type.shape)
        return converted(a, wide, True), converted(b, wide, True)
    if not fits or a.dtype != b.dtype:
        kind: Any = DTypeError if fits else ShapeError
        raise kind(f"{what}: the branches return {a.type} and {b.type}", where=users_line(),
                   hint="both return the same types: .astype, np.broadcast_to")  # fmt: skip
    return a, b
