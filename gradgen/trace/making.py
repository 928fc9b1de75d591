"""Arrays to write into: NumPy's `zeros` and its kin, which inside a trace make arrays of the trace's own."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradgen.trace.active import active_builder
from gradgen.trace.promotion import broadcast, is_traced
from gradgen.trace.tracer import lifted
from gradgen.trace.vocabulary import dims


def full(shape, fill_value, dtype=None) -> Any:
    """np.full, as an array that can be assigned into inside a trace. shape: ints and sizes."""
    builder = active_builder()
    sizes = dims(shape)
    if builder is None:
        return np.full(sizes, fill_value, dtype)
    value = lifted(builder, fill_value)
    return broadcast(value.astype(np.dtype(dtype or value.dtype)), sizes).__gradgen_copy__()


def zeros(shape, dtype=np.float64) -> Any:
    """np.zeros, as an array that can be assigned into inside a trace."""
    return full(shape, 0, dtype)


def ones(shape, dtype=np.float64) -> Any:
    """np.ones, as an array that can be assigned into inside a trace."""
    return full(shape, 1, dtype)


def empty(shape, dtype=np.float64) -> Any:
    """As `zeros`: what was never written to has a value all the same."""
    return full(shape, 0, dtype)


def full_like(x, fill_value, dtype=None) -> Any:
    """np.full_like, as an array that can be assigned into inside a trace."""
    like = x if is_traced(x) else np.asarray(x)
    return full(x.type.shape if is_traced(x) else like.shape, fill_value, dtype or like.dtype)


def zeros_like(x, dtype=None) -> Any:
    """np.zeros_like, as an array that can be assigned into inside a trace."""
    return full_like(x, 0, dtype)


def ones_like(x, dtype=None) -> Any:
    """np.ones_like, as an array that can be assigned into inside a trace."""
    return full_like(x, 1, dtype)


def empty_like(x, dtype=None) -> Any:
    """As `zeros_like`."""
    return full_like(x, 0, dtype)
