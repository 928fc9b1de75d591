"""The arguments of `fit`, checked and made ready: nothing that can be refused is refused after training began."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradgen.dispatch import as_value
from gradgen.errors import ArgumentError
from gradgen.trace.arguments import name_of
from gradgen.trace.pytree import flatten, unflatten
from gradgen.train import hyperparameters
from gradgen.train.measuring import Measuring
from gradgen.train.memory import Memory
from gradgen.train.passes import Pass, compiled_pass
from gradgen.train.rows import Rows, rows_of
from gradgen.train.step import training_kernel
from gradgen.train.training import Training

OPTIONS = ("cache", "fastmath", "parallel")


@dataclass
class Request:
    """What `fit` is to do, with everything compiled."""

    data: Rows
    memory: Memory
    training: Training
    measuring: Measuring | None
    epochs: int
    patience: int | None
    metric: Callable | None
    callbacks: tuple

    @property
    def metric_name(self) -> str:
        """For the progress bar: that of the function, where it has one."""
        name = name_of(self.metric) if self.metric else ""
        return name if name.isidentifier() else "metric"


def request(
    loss, params, data, optimizer, epochs, batch_size, validation, metric, callbacks, early_stopping, drop_last, options
) -> Request:
    """Check, then compile. Raises ArgumentError, and whatever tracing the loss raises."""
    for what, function in (("loss", loss), ("metric", metric)):
        if function is not None and not callable(function):
            raise ArgumentError(f"fit: {what} is a {type(function).__name__}", hint=f"{what}(params, x, y) -> scalar")
    callbacks = (callbacks,) if callable(callbacks) else tuple(callbacks)
    if stray := [name for name in options if name not in OPTIONS]:
        raise ArgumentError(f"fit: no option {stray[0]!r}", hint=f"besides its arguments: {', '.join(OPTIONS)}")
    if isinstance(optimizer, type) or not (hasattr(optimizer, "init") and hasattr(optimizer, "update")):
        raise ArgumentError(f"fit: optimizer is {optimizer!r}", hint="one of gg.optim, such as gg.optim.adam(lr=1e-3)")
    epochs = _count("epochs", epochs, 0)
    patience = None if early_stopping is None else _count("early_stopping", early_stopping, 1)
    if patience is not None and validation is None:
        raise ArgumentError("fit: early_stopping needs validation data", hint="validation=(X_val, y_val)")
    known = rows_of(data, "data")
    batch = known.count if batch_size is None else min(_count("batch_size", batch_size, 1), known.count)
    held_out = None if validation is None else rows_of(validation, "validation")
    params = _numbers(params)
    memory = Memory(params, optimizer.init(params))
    training = _training(loss, metric, optimizer, memory, known, batch, drop_last, options)
    measuring = Measuring(loss, metric, params, memory, held_out, batch, options) if held_out else None
    return Request(known, memory, training, measuring, epochs, patience, metric, callbacks)


def _training(
    loss, metric, optimizer, memory: Memory, data: Rows, batch: int, drop_last: bool, options: dict
) -> Training:
    numbers = flatten(hyperparameters.values(optimizer))[0]
    leaves = [*memory.arrays, *flatten((data.x, data.y))[0], None, *numbers]
    args = (*memory.tree(), data.x, data.y)

    def run(size: int, static: bool) -> Pass:
        kernel = training_kernel(loss, metric, optimizer, args, size, static, options)
        return compiled_pass(kernel, leaves, len(memory.arrays), True, size)

    left = 0 if drop_last else data.count % batch
    # a kernel of its own for what is left over, and for one row another: broadcasting depends on that
    return Training(memory, run(batch, True), run(left, left == 1) if left else None, data.count)


def _numbers(params) -> Any:
    """The tree with plain numbers as NumPy's: float64, which is what they become in the first update."""
    leaves, spec = flatten(params)
    if not leaves:
        raise ArgumentError("fit: params holds no arrays")
    return unflatten(spec, [np.asarray(as_value(leaf))[()] for leaf in leaves])


def _count(what: str, value, low: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = low - 1
    if number < low or isinstance(value, bool):
        raise ArgumentError(f"fit: {what} is {value!r}", hint=f"an int of at least {low}")
    return number
