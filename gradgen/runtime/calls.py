"""A kernel called from Python: results allocated here, workspace kept per thread, so a call in a loop allocates nothing
but its results; and one function less to compile than through the allocating wrapper.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence

import numpy as np

from gradgen.ir.sizes import evaluate
from gradgen.runtime.kernel import Kernel, sizes_of

LARGE = 1 << 17  # bytes: from here on, the system maps new pages for an array, and faults them in one by one


class Recycled:
    """Result arrays, handed out again once nobody else holds them: a loop p = step(p, x) runs in two sets of memory."""

    def __init__(self, arrays: Sequence[tuple]):
        self.arrays = arrays
        self.pools: list[list[np.ndarray]] = [[] for _ in arrays]

    def take(self) -> list[np.ndarray]:
        return [_unused(pool, shape, dtype) for pool, (shape, dtype) in zip(self.pools, self.arrays, strict=True)]


def _unused(pool: list[np.ndarray], shape: tuple, dtype: np.dtype) -> np.ndarray:
    for array in pool:
        if sys.getrefcount(array) == UNUSED:  # a view counts too: it holds its base
            return array
    array = np.empty(shape, dtype)
    if len(pool) < 3:
        pool.append(array)
    return array


def _count_in_a_pool(pool: list[np.ndarray]) -> int:
    for array in pool:
        return sys.getrefcount(array)
    return 0


UNUSED = _count_in_a_pool([np.empty(1)])  # what the interpreter at hand counts for an array that only a pool holds


def caller(kernel: Kernel, leaves: Sequence) -> Callable[[Sequence], list]:
    """leaves -> flat results, for leaves of just these types and sizes (nothing is checked)."""
    into, env = kernel.into, sizes_of(kernel.graph, leaves)
    types = [n.type for n in kernel.graph.outputs]
    arrays = [(tuple(evaluate(n, env) for n in t.shape), t.dtype) for t in types if t.shape != ()]
    scalars = [(k, t.dtype.type) for k, t in enumerate(types) if t.shape == ()]
    small = all(np.prod(shape) * dtype.itemsize < LARGE for shape, dtype in arrays)
    kept = threading.local()
    empty = np.empty

    def workspace() -> tuple:
        kept.work = kernel.workspace(*leaves_of_sizes)
        kept.results = Recycled(arrays)
        return kept.work

    leaves_of_sizes = [
        np.broadcast_to(np.zeros((), x.dtype), x.shape) if isinstance(x, np.ndarray) else x for x in leaves
    ]

    def call(leaves: Sequence) -> list:
        try:
            work = kept.work
        except AttributeError:
            work = workspace()
        outs = [empty(shape, dtype) for shape, dtype in arrays] if small else kept.results.take()
        numbers = into(*leaves, *outs, *work)
        if not scalars:
            return outs
        if len(scalars) == 1:
            k, make = scalars[0]
            outs.insert(k, make(numbers))
            return outs
        for (k, make), number in zip(scalars, numbers, strict=True):
            outs.insert(k, make(number))
        return outs

    return call
