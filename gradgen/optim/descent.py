"""Descent along the gradient, with and without memory of the way.

In: one array and its gradient. Out: its next value. Alphabet: w the parameter, g its gradient, v the velocity.
"""
# ruff: noqa: N801 - constructors are lower-case, as range and slice are

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gradgen.optim.optimizer import Optimizer, fraction


@dataclass(frozen=True)
class gd(Optimizer):
    """w - lr * g: gradient descent, stochastic where g is that of a mini-batch. lr: number or schedule.

    Sources: Cauchy 1847; Robbins & Monro 1951. Slow where curvatures differ much.
    """

    lr: float | Callable = 1e-2

    def rule(self, factors, g, w):
        (lr,) = factors
        return (w - lr * g,)


@dataclass(frozen=True)
class momentum(Optimizer):
    """v = beta * v + g; w - lr * v: the heavy ball. lr: number or schedule; beta in [0, 1).

    lr stands outside v, so a schedule acts at once; steps grow to lr / (1 - beta) along a steady gradient.
    Source: Polyak 1964.
    """

    lr: float | Callable = 1e-2
    beta: float = 0.9
    slots = ("velocity",)

    def __post_init__(self):
        super().__post_init__()
        fraction(self, "beta")

    def rule(self, factors, g, w, v):
        (lr,) = factors
        v = self.beta * v + g
        return w - lr * v, v


@dataclass(frozen=True)
class nesterov(momentum):
    """v = beta * v + g; w - lr * (g + beta * v): momentum, with the gradient seen from where it leads.

    lr: number or schedule; beta in [0, 1). Sources: Nesterov 1983; in this form, which needs the gradient at w only,
    Bengio, Boulanger-Lewandowski & Pascanu 2013 (arXiv:1212.0901).
    """

    def rule(self, factors, g, w, v):
        (lr,) = factors
        v = self.beta * v + g
        return w - lr * (g + self.beta * v), v


sgd = gd
