"""What a basic key takes from an axis: start, step and size, for sizes that are numbers or symbols.

in:  slice(1, None), an axis of size n          out: 1, 1, n - 1, and the guard n >= 1

NumPy clamps a slice to its axis. Whether it must is asked of the call being traced, and the answer is guarded.
"""

from __future__ import annotations

from gradgen.errors import ShapeError, UnsupportedError
from gradgen.ir.sizes import Dim, Size, freeze, hint, holds
from gradgen.ir.source import users_line


class IndexShapeError(ShapeError, IndexError):
    """Also an IndexError: Python's iteration protocol and users' `except IndexError` rely on it."""


def range_of(x, k, n: Size, axis: int) -> tuple[Size, Size, Size]:
    """Start, step and size that the key k, a slice or an int, takes from an axis of size n."""
    if isinstance(k, slice):
        return _slice(k, n)
    k = known(k)
    if not isinstance(k, (int, Dim)) or isinstance(k, bool):
        raise UnsupportedError(f"an index of type {type(k).__name__}", where=users_line(),
                               hint="ints, slices, None, ... and integer arrays are traced")  # fmt: skip
    start = k if not _negative(k) else n + k
    if not (holds(start, ">=", 0) and holds(start, "<", n)):
        raise IndexShapeError(f"index {k} of axis {axis} of {x.type}: its size is {n}", where=users_line())
    return start, 1, 1


def known(v):
    """A bound as the user gave it -> None, an int, a Dim; anything else as it is."""
    if hasattr(v, "__gradgen_dim__"):
        return v.__gradgen_dim__
    return v.__index__() if v is not None and not isinstance(v, bool) and hasattr(v, "__index__") else v


def _slice(k: slice, n: Size) -> tuple[Size, Size, Size]:
    start, stop, step = (known(v) for v in (k.start, k.stop, k.step))
    step = 1 if step is None else freeze(step)
    if not any(isinstance(v, Dim) for v in (n, start, stop)):
        low, high, s = slice(start, stop, step).indices(n)  # type: ignore[arg-type]
        size = len(range(low, high, s))
        return (low, s, size) if size else (0, 1, 0)
    if step == 1:
        a = 0 if start is None else _clamped(start, n)
        b = n if stop is None else _clamped(stop, n)
        return (a, 1, b - a) if _at_most(a, b) else (0, 1, 0)
    if step == -1 and start is None and stop is None:
        return n - 1, -1, n
    first, last = (v if v is None else freeze(v) for v in (start, stop))
    return _slice(slice(first, last, step), freeze(n))


def _clamped(bound: Size, n: Size) -> Size:
    """A bound within 0 and n; negative ones count from the end."""
    if _negative(bound):
        return n + bound if _at_most(-bound, n) else 0
    return bound if _at_most(bound, n) else n


def _at_most(a: Size, b: Size) -> bool:
    return a == 0 or holds(a, "<=", b)  # sizes are at least 0


def _negative(v: Size) -> bool:
    if isinstance(v, int):
        return v < 0
    return hint(v) is not None and not holds(v, ">=", 0)
