"""Descent with a step of its own for every entry, by the size of past gradients. In and out as in descent.py.

Alphabet: w the parameter, g its gradient, m a mean of gradients, s a mean (or sum) of their squares.
"""
# ruff: noqa: N801 - constructors are lower-case, as range and slice are

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradgen.optim.optimizer import Optimizer, at_least, fraction, positive


@dataclass(frozen=True)
class adagrad(Optimizer):
    """s = s + g*g; w - lr * g / (sqrt(s) + eps). lr: number or schedule; eps > 0 in the units of g.

    Source: Duchi, Hazan & Singer 2011. Its steps only ever shrink: fit for sparse gradients, stalls on long runs.
    """

    lr: float | Callable = 1e-2
    eps: float = 1e-10
    slots = ("squares",)

    def __post_init__(self):
        super().__post_init__()
        positive(self, "eps")

    def rule(self, factors, g, w, s):
        (lr,) = factors
        s = s + g * g
        return w - lr * g / (np.sqrt(s) + self.eps), s


@dataclass(frozen=True)
class rmsprop(Optimizer):
    """s = decay * s + (1 - decay) * g*g; w - lr * g / (sqrt(s) + eps). lr: number or schedule; eps in the units of g.

    Source: Hinton 2012, Neural Networks for Machine Learning, lecture 6e. s starts at 0 uncorrected, so the first
    steps are up to 1 / sqrt(1 - decay) times larger than lr.
    """

    lr: float | Callable = 1e-3
    decay: float = 0.9
    eps: float = 1e-8
    slots = ("squares",)

    def __post_init__(self):
        super().__post_init__()
        fraction(self, "decay")
        positive(self, "eps")

    def rule(self, factors, g, w, s):
        (lr,) = factors
        s = self.decay * s + (1 - self.decay) * (g * g)
        return w - lr * g / (np.sqrt(s) + self.eps), s


@dataclass(frozen=True)
class adam(Optimizer):
    """w - lr * m / (sqrt(s) + eps), with m and s the running means of g and g*g, corrected for their start at 0.

    lr: number or schedule, in the units of w; b1, b2 in [0, 1); eps > 0 in the units of g.
    Source: Kingma & Ba 2015 (arXiv:1412.6980), Algorithm 1. It need not converge even on convex losses (Reddi 2018).
    """

    lr: float | Callable = 1e-3
    b1: float = 0.9
    b2: float = 0.999
    eps: float = 1e-8
    slots = ("mean", "squares")

    def __post_init__(self):
        super().__post_init__()
        fraction(self, "b1")
        fraction(self, "b2")
        positive(self, "eps")

    def factors(self, step):
        t = step + 1
        return self.rate(step) / (1 - self.b1**t), 1 / (1 - self.b2**t)

    def rule(self, factors, g, w, m, s):
        step_size, s_correction = factors
        m = self.b1 * m + (1 - self.b1) * g
        s = self.b2 * s + (1 - self.b2) * (g * g)
        return w - step_size * m / (np.sqrt(s_correction * s) + self.eps), m, s


@dataclass(frozen=True)
class adamw(adam):
    """adam, and w shrinks by lr * weight_decay * w beside it, not through the gradient.

    As adam; weight_decay >= 0. All arrays decay; with biases=False only those with two axes or more.
    Source: Loshchilov & Hutter 2019 (arXiv:1711.05101), Algorithm 2, with their lr * lambda as lr * weight_decay.
    """

    weight_decay: float = 1e-2
    biases: bool = True

    def __post_init__(self):
        super().__post_init__()
        at_least(self, "weight_decay", 0)

    def factors(self, step):
        return *super().factors(step), self.rate(step) * self.weight_decay

    def rule(self, factors, g, w, m, s):
        *adam_factors, shrink = factors
        new_w, m, s = super().rule(adam_factors, g, w, m, s)
        return new_w - shrink * w if self.biases or getattr(w, "ndim", 0) >= 2 else new_w, m, s
