"""The activations of neural networks, as plain functions of arrays.

In: an array of any shape. Out: the same shape and dtype (`maxout` makes the last axis shorter).
Kinks are written with `where`, not with `maximum` or `abs`, so that one branch is taken whole: at 0 the smooth ones
keep every derivative (maximum and abs would give softplus'' = 0 there, and Newton's method on a logistic regression
that starts at zero weights would meet a Hessian of zeros).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

import numpy as np

from gradgen import ops
from gradgen.errors import ArgumentError, ShapeError
from gradgen.ir.source import callers_line


def identity(x):
    """The value itself: the output of a regression, or logits."""
    return x


def sigmoid(x):
    """1 / (1 + exp(-x)), without overflow."""
    return ops.sigmoid(x)


def tanh(x):
    """The hyperbolic tangent."""
    return np.tanh(x)


def relu(x):
    """max(x, 0), with derivative 0 at 0; nan stays nan. Source: Nair & Hinton 2010."""
    return np.where(x <= 0, 0, x)


def leaky_relu(x, slope=0.01):
    """Where positive x, else slope * x; derivative `slope` at 0. Source: Maas, Hannun & Ng 2013."""
    return np.where(x > 0, x, slope * x)


def elu(x, alpha=1.0):
    """Where positive x, else alpha * (exp(x) - 1); derivative `alpha` at 0. Source: Clevert et al. 2016."""
    return np.where(x > 0, x, alpha * np.expm1(np.where(x > 0, 0, x)))


def softplus(x):
    """log(1 + exp(x)), without overflow. Source: Dugas et al. 2001."""
    return relu(x) + softplus_tail(x)


def softplus_tail(x):
    """softplus(x) - relu(x) = log(1 + exp(-|x|)): small where x is large, so it is to be added last."""
    return np.log1p(np.exp(np.where(x > 0, -x, x)))


def gelu(x):
    """The tanh form of x * Phi(x), Phi the normal distribution: within 5e-4 of the exact one.

    Source: Hendrycks & Gimpel 2016 (arXiv:1606.08415), section 2.
    """
    near = np.clip(x, -20, 20)  # tanh is 1 long before 20, and the cube of a huge x would overflow
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (near + 0.044715 * near * near * near)))


def silu(x):
    """The product x * sigmoid(x), also called swish. Source: Elfwing, Uchibe & Doya 2018 (arXiv:1702.03118)."""
    return x * sigmoid(x)


def maxout(x, pieces=2):
    """The largest of `pieces` linear pieces. x: f[..., pieces * m], result: f[..., m]; ties share the gradient.

    Column p * m + j is piece p of unit j. Raises ShapeError unless `pieces` divides the last axis.
    Source: Goodfellow et al. 2013 (arXiv:1302.4389).
    """
    *batch, width = x.shape
    width = operator.index(width)
    if width % pieces:
        raise ShapeError(f"maxout: last axis of {width} does not split into {pieces} pieces", where=callers_line())
    return np.max(x.reshape((*batch, pieces, width // pieces)), axis=-2)


def softmax(x, axis=-1):
    """exp(x) / sum(exp(x)) along an axis, shifted by its maximum so that it can't overflow."""
    powers = np.exp(x - _peak(x, axis))
    return powers / np.sum(powers, axis=axis, keepdims=True)


def log_softmax(x, axis=-1):
    """log(softmax(x)) without its underflow: finite for every finite x."""
    shifted = x - _peak(x, axis)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def _peak(x, axis):
    """The maximum as a constant: it cancels in both functions, so its gradient would only be work."""
    return ops.stop_gradient(np.max(x, axis=axis, keepdims=True))


ACTIVATIONS: dict[str, Callable] = {
    "elu": elu,
    "gelu": gelu,
    "identity": identity,
    "leaky_relu": leaky_relu,
    "log_softmax": log_softmax,
    "maxout": maxout,
    "relu": relu,
    "sigmoid": sigmoid,
    "silu": silu,
    "softmax": softmax,
    "softplus": softplus,
    "tanh": tanh,
}


def find(activation: str | Callable) -> Callable:
    """The function of a name; functions stand for themselves. Raises ArgumentError for unknown names."""
    if callable(activation):
        return activation
    if activation not in ACTIVATIONS:
        raise ArgumentError(f"no activation {activation!r}", hint=f"one of {', '.join(ACTIVATIONS)}, or a function")
    return ACTIVATIONS[activation]
