"""Learning rates that change: functions of the number of updates done so far.

In: step, 0 at the first update; a number or a traced value. Out: the learning rate, for any optimiser's `lr`.
Frozen dataclasses, so that an optimiser with a schedule is hashable and comparable as one with a number.
"""
# ruff: noqa: N801 - constructors are lower-case, as range and slice are

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradgen.optim.optimizer import at_least, positive


@dataclass(frozen=True)
class constant:
    """Always `rate`."""

    rate: float

    def __post_init__(self):
        at_least(self, "rate", 0)

    def __call__(self, _step):
        return self.rate


@dataclass(frozen=True)
class step:
    """rate * factor**floor(step / every): the same for `every` updates, then smaller by `factor`."""

    rate: float
    every: float
    factor: float = 0.1

    def __post_init__(self):
        at_least(self, "rate", 0)
        positive(self, "every")
        positive(self, "factor")

    def __call__(self, step):
        return self.rate * self.factor ** np.floor(step / self.every)


@dataclass(frozen=True)
class exponential:
    """rate * factor**(step / every): smaller by `factor` over every `every` updates, smoothly."""

    rate: float
    factor: float
    every: float = 1.0

    def __post_init__(self):
        at_least(self, "rate", 0)
        positive(self, "factor")
        positive(self, "every")

    def __call__(self, step):
        return self.rate * self.factor ** (step / self.every)


@dataclass(frozen=True)
class inverse_time:
    """rate / (1 + decay * step): sums of it diverge and sums of its squares converge, as Robbins & Monro 1951 ask."""

    rate: float
    decay: float

    def __post_init__(self):
        at_least(self, "rate", 0)
        at_least(self, "decay", 0)

    def __call__(self, step):
        return self.rate / (1 + self.decay * step)


@dataclass(frozen=True)
class cosine:
    """From `rate` to `final` over `steps` updates along half a cosine, then `final`.

    Source: Loshchilov & Hutter 2017 (arXiv:1608.03983), equation 5, without restarts.
    """

    rate: float
    steps: float
    final: float = 0.0

    def __post_init__(self):
        at_least(self, "rate", 0)
        positive(self, "steps")
        at_least(self, "final", 0)

    def __call__(self, step):
        angle = math.pi * np.minimum(step / self.steps, 1)
        return self.final + 0.5 * (self.rate - self.final) * (1 + np.cos(angle))


@dataclass(frozen=True)
class warmup:
    """`steps` updates on a straight line up to the first rate of `then`, a number or a schedule; then that one.

    Update k of the ramp takes (k + 1) / (steps + 1) of it, so none is spent at rate 0.
    Source: Goyal et al. 2017 (arXiv:1706.02677), section 2.2.
    """

    steps: float
    then: float | Callable

    def __post_init__(self):
        at_least(self, "steps", 0)
        if not callable(self.then):
            at_least(self, "then", 0)

    def __call__(self, step):
        ramp = np.minimum((step + 1) / (self.steps + 1), 1)
        rate = self.then(np.maximum(step - self.steps, 0)) if callable(self.then) else self.then
        return ramp * rate
