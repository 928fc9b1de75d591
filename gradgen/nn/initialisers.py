"""First weights of a layer: random, of a size that keeps signals from growing or dying with depth.

In: a numpy Generator, a shape (inputs, outputs) and a dtype. Out: an array. Numbers are drawn in float64 and rounded
once, so one seed gives the same network in float32 and float64.
"""

from __future__ import annotations

import math

import numpy as np

from gradgen.errors import ArgumentError


def xavier(rng: np.random.Generator, shape: tuple[int, ...], dtype=np.float32) -> np.ndarray:
    """Uniform in +-sqrt(6 / (inputs + outputs)), variance 2 / (inputs + outputs): for tanh, sigmoid, linear.

    Source: Glorot & Bengio 2010, equation 16.
    """
    bound = math.sqrt(6 / sum(_fans(shape)))
    return rng.uniform(-bound, bound, shape).astype(dtype)


def he(rng: np.random.Generator, shape: tuple[int, ...], dtype=np.float32) -> np.ndarray:
    """Normal with variance 2 / inputs: for rectifiers, which drop half of it. Source: He et al. 2015, equation 10."""
    inputs, _ = _fans(shape)
    return (math.sqrt(2 / inputs) * rng.standard_normal(shape)).astype(dtype)


def orthogonal(rng: np.random.Generator, shape: tuple[int, ...], dtype=np.float32, gain: float = 1.0) -> np.ndarray:
    """`gain` times orthonormal columns (or rows, where these are fewer), uniform among all such matrices.

    Source: Saxe et al. 2014 (arXiv:1312.6120); the signs that make it uniform: Mezzadri 2007, section 5.
    """
    rows, columns = _fans(shape)
    tall = rng.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(tall)
    q = q * np.sign(np.diagonal(r))
    return (gain * (q if rows >= columns else q.T)).reshape(shape).astype(dtype)


INITIALISERS = {"he": he, "orthogonal": orthogonal, "xavier": xavier}


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Inputs and outputs of a weight array: the last axis is the outputs, all others feed them."""
    if len(shape) < 2:
        raise ArgumentError(f"weights need a shape (inputs, outputs), got {tuple(shape)}")
    return math.prod(shape[:-1]), shape[-1]
