"""A data set: pytrees of arrays whose first axes are the rows, all of one length. Checked once, before anything is
traced, since a compiled loop over the rows checks no lengths.

    rows_of((X, y), "data") --> Rows(x, y, count)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradgen.dispatch import as_value
from gradgen.errors import ArgumentError
from gradgen.trace.pytree import flatten, unflatten

PAIR = "a pair (X, y); y may be None where the loss needs none"


@dataclass(frozen=True)
class Rows:
    """Trees x and y of arrays with `count` rows."""

    x: Any
    y: Any
    count: int

    def broken(self, chosen: np.ndarray) -> int | None:
        """The first of the chosen rows that holds nan or inf."""
        bad = np.zeros(len(chosen), bool)
        for leaf in flatten((self.x, self.y))[0]:
            if leaf.dtype.kind == "f":
                bad |= ~np.isfinite(leaf[chosen].reshape(len(chosen), -1)).all(axis=1)
        return int(chosen[np.argmax(bad)]) if bad.any() else None


def rows_of(data, what: str) -> Rows:
    """The data set (X, y), with every leaf as the C-contiguous array that kernels take, not copied if it is one.

    Raises ArgumentError for anything but a pair, leaves that are no arrays, lengths that differ, no rows; DTypeError
    for dtypes that gradgen does not compute with.
    """
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        raise ArgumentError(f"fit: {what} is {_kind(data)}", hint=PAIR)
    leaves, spec = flatten(tuple(data))
    values = [as_value(leaf) for leaf in leaves]
    if not values:
        raise ArgumentError(f"fit: {what} holds no arrays", hint=PAIR)
    if any(not isinstance(v, np.ndarray) for v in values):
        raise ArgumentError(f"fit: {what} holds numbers where arrays with a row per sample are expected",
                            hint="np.asarray(X) of a nested list")  # fmt: skip
    lengths = [len(v) for v in values]
    if len(set(lengths)) > 1:
        shapes = ", ".join(str(v.shape) for v in values)
        raise ArgumentError(f"fit: the arrays of {what} have {_either(lengths)} rows (shapes {shapes})",
                            hint="all need the same first axis")  # fmt: skip
    if lengths[0] == 0:
        raise ArgumentError(f"fit: {what} has no rows")
    x, y = unflatten(spec, values)
    return Rows(x, y, lengths[0])


def _either(lengths: list[int]) -> str:
    return " and ".join(str(n) for n in dict.fromkeys(lengths))


def _kind(data) -> str:
    return f"a {type(data).__name__} of {len(data)}" if isinstance(data, (tuple, list)) else f"a {type(data).__name__}"
