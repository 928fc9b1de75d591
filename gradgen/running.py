"""The hot path of a call: a key for arguments that were met before, and the runner that it finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gradgen.pipeline import Built
from gradgen.runtime.calls import caller
from gradgen.trace.pytree import unflatten

SCALARS = frozenset((float, int, bool, np.float64, np.float32, np.int64))


def key_of(leaves: Sequence):
    """A key for leaves that are plain numbers and contiguous arrays, or None."""
    key: list = []
    add = key.append
    for x in leaves:
        kind = type(x)
        if kind is np.ndarray:
            shape = x.shape
            if not (shape and x.flags.carray):  # C-contiguous, aligned, writable
                return None
            add(x.dtype)
            add(shape)
        elif kind in SCALARS:
            add(kind)
        else:
            return None
    return tuple(key)


def runner(built: Built, leaves: Sequence) -> Callable:
    """Leaves of these types and sizes -> results in the user's structure."""
    spec = built.out_spec
    if not built.kernel.graph.outputs:
        return lambda _: unflatten(spec, [])
    call = caller(built.kernel, leaves)
    if spec.is_leaf():
        return lambda leaves: call(leaves)[0]
    return lambda leaves: unflatten(spec, call(leaves))
