"""A kernel called from Python: results allocated here, workspace kept per thread, so a call in a loop allocates nothing
but its results; and one function less to compile than through the allocating wrapper.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np

from gradgen.ir.sizes import evaluate
from gradgen.runtime.kernel import Kernel, sizes_of


def caller(kernel: Kernel, leaves: Sequence) -> Callable[[Sequence], list]:
    """leaves -> flat results, for leaves of just these types and sizes (nothing is checked)."""
    into, env = kernel.into, sizes_of(kernel.graph, leaves)
    types = [n.type for n in kernel.graph.outputs]
    arrays = [(tuple(evaluate(n, env) for n in t.shape), t.dtype) for t in types if t.shape != ()]
    scalars = [(k, t.dtype.type) for k, t in enumerate(types) if t.shape == ()]
    kept = threading.local()
    empty = np.empty

    def workspace() -> tuple:
        kept.work = kernel.workspace(*leaves_of_sizes)
        return kept.work

    leaves_of_sizes = [
        np.broadcast_to(np.zeros((), x.dtype), x.shape) if isinstance(x, np.ndarray) else x for x in leaves
    ]

    def call(leaves: Sequence) -> list:
        try:
            work = kept.work
        except AttributeError:
            work = workspace()
        outs = [empty(shape, dtype) for shape, dtype in arrays]
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
