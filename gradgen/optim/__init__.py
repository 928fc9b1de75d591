"""Optimisers and learning-rate schedules: pure functions of pytrees, compiled with the loop that calls them."""

from gradgen.optim.adaptive import adagrad, adam, adamw, rmsprop
from gradgen.optim.descent import gd, momentum, nesterov, sgd
from gradgen.optim.schedules import constant, cosine, exponential, inverse_time, step, warmup

__all__ = [
    "adagrad",
    "adam",
    "adamw",
    "constant",
    "cosine",
    "exponential",
    "gd",
    "inverse_time",
    "momentum",
    "nesterov",
    "rmsprop",
    "sgd",
    "step",
    "warmup",
]
