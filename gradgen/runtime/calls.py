"""A kernel called from Python: results allocated here, workspace kept per thread, so a call in a loop allocates nothing
but its results; and one function less to compile than through the allocating wrapper.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

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


BARE = itemgetter(0)  # the `finish` of a single result


def entry_point(kernel: Kernel, workspace: Sequence[np.ndarray] = ()) -> Callable:
    """The compiled kernel itself: inputs, arrays for array results, workspace -> numbers. It checks no types.

    It is what Numba's dispatcher calls once it has found the types of the arguments, which are known here.
    """
    from numba.core.types import Array
    from numba.np.numpy_support import from_dtype

    def typed(dtype: np.dtype, ndim: int):
        return Array(from_dtype(dtype), ndim, "C") if ndim else from_dtype(dtype)

    graph = kernel.graph
    if not hasattr(kernel.into, "compile"):  # NUMBA_DISABLE_JIT
        return kernel.into
    passed = [n.type for n in graph.inputs] + [n.type for n in graph.outputs if n.type.shape != ()]
    signature = [typed(t.dtype, len(t.shape)) for t in passed] + [typed(w.dtype, 1) for w in workspace]
    return kernel.into.compile(tuple(signature))


def of_numbers(kernel: Kernel, finish: Callable[[list], Any]) -> tuple[Callable, Callable] | None:
    """Entry point, and what makes the results of what it returns; None where a kernel is passed arrays."""
    if kernel.into is not kernel.njit:
        return None
    makes = [n.type.dtype.type for n in kernel.graph.outputs]
    if finish is BARE:
        return entry_point(kernel), makes[0]
    if len(makes) == 1:
        return entry_point(kernel), lambda number: finish([makes[0](number)])
    return entry_point(kernel), lambda numbers: finish([make(numbers[k]) for k, make in enumerate(makes)])


def caller(kernel: Kernel, leaves: Sequence, finish: Callable[[list], Any]) -> Callable[[list], Any]:
    """leaves -> finish(flat results), for leaves of just these types and sizes (nothing is checked)."""
    env = sizes_of(kernel.graph, leaves)
    types = [n.type for n in kernel.graph.outputs]
    arrays = [(tuple(evaluate(n, env) for n in t.shape), t.dtype) for t in types if t.shape != ()]
    scalars = [(place, t.dtype.type) for place, t in enumerate(types) if t.shape == ()]
    small = all(np.prod(shape) * dtype.itemsize < LARGE for shape, dtype in arrays)
    kept = threading.local()
    empty = np.empty

    def workspace() -> list:
        kept.work = list(kernel.workspace(*leaves_of_sizes))
        kept.results = Recycled(arrays)
        return kept.work

    leaves_of_sizes = [
        np.broadcast_to(np.zeros((), x.dtype), x.shape) if isinstance(x, np.ndarray) else x for x in leaves
    ]
    entry = entry_point(kernel, workspace())

    def call(leaves: list):
        try:
            work = kept.work
        except AttributeError:
            work = workspace()
        outs: list = []
        if small:
            for shape, dtype in arrays:  # half the time of a comprehension, which is a function of its own in 3.11
                outs.append(empty(shape, dtype))
        else:
            outs = kept.results.take()
        numbers = entry(*(leaves + outs + work))
        if len(scalars) == 1:
            place, make = scalars[0]
            outs.insert(place, make(numbers))
        elif scalars:
            for k, (place, make) in enumerate(scalars):
                outs.insert(place, make(numbers[k]))
        return finish(outs)

    return call
