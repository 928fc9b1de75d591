"""What the steps of training change, parameters and optimiser state, in one block of memory.

in:  both as pytrees of arrays and numbers
out: one array per leaf (without axes for a number) that compiled code writes to; all of them are saved and put back
     with one copy, which is cheap enough to do before every call of the loop
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradgen.dispatch import as_value
from gradgen.trace.pytree import flatten, unflatten

ALIGNMENT = 64  # bytes: a cache line, and the widest vector


class Memory:
    """`arrays`: the leaves in order, views of `block`; the first `count` are parameters."""

    def __init__(self, params, state):
        leaves, self.spec = flatten((params, state))
        self.count = len(flatten(params)[0])
        values = [np.asarray(as_value(leaf)) for leaf in leaves]
        starts = np.cumsum([0, *(-(-v.nbytes // ALIGNMENT) * ALIGNMENT for v in values)])
        self.block = _aligned(int(starts[-1]))
        self.arrays = [
            self.block[start : start + v.nbytes].view(v.dtype).reshape(v.shape)
            for start, v in zip(starts, values, strict=False)
        ]
        for array, value in zip(self.arrays, values, strict=True):
            array[...] = value

    def tree(self, copied: bool = False) -> Any:
        """(parameters, state) as they are now; `copied`: in memory of their own."""
        return unflatten(self.spec, [a[()] if not a.ndim else a.copy() if copied else a for a in self.arrays])

    def save(self, into: np.ndarray | None) -> np.ndarray:
        """A copy of the block, in `into` where there is one."""
        if into is None:
            return self.block.copy()
        np.copyto(into, self.block)
        return into

    def restore(self, saved: np.ndarray) -> None:
        np.copyto(self.block, saved)

    def is_finite(self) -> bool:
        """Whether the parameters are."""
        return all(np.isfinite(a).all() for a in self.arrays[: self.count])


def _aligned(nbytes: int) -> np.ndarray:
    raw = np.zeros(nbytes + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + nbytes]
