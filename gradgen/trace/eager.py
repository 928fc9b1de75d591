"""Loops and branches as plain Python: outside of traces, and on the tape, where every step is recorded."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from gradgen.errors import ArgumentError, ShapeError
from gradgen.ir.source import users_line
from gradgen.trace.promotion import is_traced
from gradgen.trace.pytree import flatten, unflatten
from gradgen.trace.writing import Writable


class _Depth(threading.local):
    loops = 0  # that run in this thread, one within the other


_depth = _Depth()


def _loop(run: Callable) -> Callable:
    """A loop whose results are plain arrays, but for one within another's body, where they may be written to."""

    @functools.wraps(run)
    def called(*args):
        _depth.loops += 1
        try:
            result = run(*args)
        finally:
            _depth.loops -= 1
        return result if _depth.loops else _plain(result)

    return called


@_loop
def scan(body: Callable, carry, xs, length, reverse: bool) -> tuple:
    leaves, spec = flatten(xs)
    lengths = {np.shape(x)[0] if np.ndim(x) else None for x in leaves} | (
        {int(length)} if length is not None else set()
    )
    if len(lengths) != 1 or None in lengths:
        raise ShapeError(f"scan: lengths {sorted(map(str, lengths))} of xs and length", where=users_line())
    (n,) = lengths
    ys: list = [None] * n  # type: ignore[operator]
    carry = _writable(carry)
    for k in reversed(range(n)) if reverse else range(n):  # type: ignore[arg-type]
        carry, y = body(carry, unflatten(spec, [x[k] for x in leaves]))
        ys[k] = _kept(y)
    return carry, _stacked(ys)


def _kept(tree):
    """A row as it is now: the body may write into its carry at the next step."""
    leaves, spec = flatten(tree)
    return unflatten(spec, [x.copy() if isinstance(x, np.ndarray) else x for x in leaves])


def _stacked(ys: list) -> Any:
    if not ys:
        return None
    spec = flatten(ys[0])[1]
    columns = zip(*(flatten(y)[0] for y in ys), strict=True)
    return unflatten(spec, [np.stack(column) for column in columns])


@_loop
def fori_loop(lo, hi, body: Callable, carry) -> Any:
    carry = _writable(carry)
    for i in range(_number(lo), _number(hi)):
        carry = body(i, carry)
    return carry


@_loop
def while_loop(cond: Callable, body: Callable, carry, max_steps: int | None) -> Any:
    carry, steps = _writable(carry), 0
    while cond(carry):
        if max_steps is not None and steps >= max_steps:
            raise RuntimeError(f"while_loop: more than max_steps={max_steps} steps")
        carry, steps = body(carry), steps + 1
    return carry


def cond(pred, if_true: Callable, if_false: Callable, *operands) -> Any:
    if np.ndim(pred):
        raise ShapeError(f"cond: pred has shape {np.shape(pred)}, not a scalar", where=users_line())
    return if_true(*operands) if pred else if_false(*operands)


def _number(bound) -> int:
    value = bound.value if is_traced(bound) else bound
    if not hasattr(value, "__index__") or np.ndim(value):
        raise ArgumentError(f"fori_loop: bound {bound!r}", where=users_line(), hint="an integer")
    return value.__index__()


def _writable(tree):
    """Arrays of a carry as copies that can be written to, by `a[i] = v` and `a.at[i].set(v)`."""
    leaves, spec = flatten(tree)
    return unflatten(spec, [x.copy().view(Writable) if isinstance(x, np.ndarray) and x.ndim else x for x in leaves])


def _plain(tree):
    leaves, spec = flatten(tree)
    return unflatten(spec, [x.view(np.ndarray) if isinstance(x, Writable) else x for x in leaves])
