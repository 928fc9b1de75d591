"""The hot path of a call: a key for arguments that were met before, and the runner that it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
import optree

from gradgen.dispatch import as_value
from gradgen.pipeline import Built
from gradgen.runtime.calls import BARE, caller, of_numbers
from gradgen.trace.pytree import NAMESPACE, unflatten

SCALARS = frozenset((float, int, bool, np.float64, np.float32, np.int64))


def recognised(args: tuple) -> tuple[list, tuple] | None:
    """Leaves, and a key of their types, sizes and tree, where all are plain numbers and contiguous arrays.

    Plain containers are looked through here, in half the time that optree takes for small trees.
    """
    leaves: list = []
    key: list = []
    if _describe(args, leaves, key):
        return leaves, tuple(key)
    leaves, spec = optree.tree_flatten(args, namespace=NAMESPACE)  # type: ignore[arg-type]
    key = [spec]
    return (leaves, tuple(key)) if _describe(leaves, [], key) else None


def _describe(trees: Iterable, leaves: list, key: list) -> bool:
    """Append the leaves, and what tells these trees from all others; False where one is of another make."""
    for x in trees:
        kind = type(x)
        if kind is np.ndarray:
            shape = x.shape
            if not (shape and x.flags.carray):  # C-contiguous, aligned, writable
                return False
            leaves.append(x)
            key.append(x.dtype)
            key.append(shape)
        elif kind in SCALARS:
            leaves.append(x)
            key.append(kind)
        elif kind is tuple or kind is list:
            key.append(kind)
            key.append(len(x))
            if not _describe(x, leaves, key):
                return False
        elif kind is dict:
            try:
                names = sorted(x)  # the order of its leaves
            except TypeError:
                return False
            key.append(dict)
            key.append(tuple(names))
            if not _describe([x[name] for name in names], leaves, key):
                return False
        elif x is None:
            key.append(None)
        else:
            return False
    return True


def runner(built: Built, leaves: Sequence) -> Callable:
    """Leaves of these types and sizes -> results in the user's structure."""
    if not built.kernel.graph.outputs:
        return lambda _: unflatten(built.out_spec, [])
    if all(isinstance(x, (float, int)) or x.dtype.isnative for x in leaves):
        return caller(built.kernel, leaves, _finish(built.out_spec))
    run = runner(built, [as_value(x) for x in leaves])
    return lambda leaves: run([as_value(x) for x in leaves])  # bytes in the other order


def number_runner(built: Built) -> tuple[Callable, Callable] | None:
    """Two functions that take numbers to results of numbers, one after the other; None where there are arrays."""
    return of_numbers(built.kernel, _finish(built.out_spec)) if built.kernel.graph.outputs else None


def _finish(spec) -> Callable[[list], Any]:
    """Flat results -> the user's structure."""
    if spec.is_leaf():
        return BARE
    flat = optree.tree_structure((0,) * spec.num_leaves, namespace=NAMESPACE)
    return tuple if spec == flat else partial(unflatten, spec)
