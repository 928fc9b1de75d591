"""Penalties on the size of parameters, to be added to a loss: loss + strength * l2(params).

In: any pytree of float arrays. Out: a scalar. All arrays count, so that a plain vector of weights is never left out in
silence; `biases=False` leaves out those with fewer than two axes, as is usual for a network's biases.
"""

from __future__ import annotations

import numpy as np

from gradgen.trace.pytree import flatten


def l1(params, biases: bool = True):
    """Sum of |w|, which drives small weights to exactly 0; derivative 0 at 0. Source: Tibshirani 1996."""
    return sum(np.sum(np.abs(w)) for w in _penalised(params, biases))


def l2(params, biases: bool = True):
    """Half the sum of squares, whose gradient is w itself: ridge, weight decay. Source: Hoerl & Kennard 1970."""
    return 0.5 * sum(np.sum(np.square(w)) for w in _penalised(params, biases))


def _penalised(params, biases):
    return [w for w in flatten(params)[0] if biases or getattr(w, "ndim", 0) >= 2]
