"""gg.fit: mini-batch training whose epochs are compiled loops.

    loss, params, (X, y), optimizer --> a kernel for one step --> a compiled loop over an epoch --> FitResult

What is here: the epochs, and when they end. The arguments are read in request.py, the kernel is made in step.py, the
loop in passes.py, and run in training.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradgen.errors import NonFiniteError
from gradgen.optim.adaptive import adam
from gradgen.optim.optimizer import Optimizer
from gradgen.train.progress import Progress, bar
from gradgen.train.request import Request, request
from gradgen.train.result import FitResult
from gradgen.train.training import Stop

ADAM = adam()


def fit(
    loss: Callable, params, data, optimizer: Optimizer = ADAM, epochs: int = 10, batch_size: int | None = 32,
    validation=None, seed: int = 0, progress: bool = True, metric: Callable | None = None, callbacks=(),
    early_stopping: int | None = None, drop_last: bool = False, **options,
) -> FitResult:  # fmt: skip
    """Parameters that make `loss` small over the data, by mini-batches in a new random order each epoch.

    loss(params, x, y) -> scalar, in plain NumPy. params: a tree of f32 or f64, left as it is. data: (X, y), arrays or
    trees of them with one row per sample; y may be None. batch_size: rows (None, or more than there are: all of
    them); a smaller last batch counts as one, unless drop_last. Dtypes are NumPy's: f64 data make f64 work of f32
    parameters. seed: for np.random.default_rng; equal seeds give equal results.
    validation: (X, y) measured after each epoch. metric(params, x, y) -> scalar, such as gg.nn.accuracy's, is shown
    and recorded beside the loss. callbacks: functions (epoch from 1, FitResult so far); True from one ends training.
    early_stopping: epochs without a smaller validation loss after which to stop; the best parameters are returned.
    Ctrl-C ends it with what was learned so far. options: cache, fastmath, parallel, as for gg.jit.

    Raises ArgumentError for arguments that make no sense; NonFiniteError where the loss becomes nan or inf, whose
    `.result` has the last parameters with a finite loss. Source: Bottou 2012, Stochastic Gradient Descent Tricks.
    Sampling without replacement: each epoch sees every row once.
    """
    asked = request(loss, params, data, optimizer, epochs, batch_size, validation, metric, callbacks,
                    early_stopping, drop_last, options)  # fmt: skip
    with bar(progress, epochs, asked.training.rows) as shown:
        return Fit(asked, shown).run(np.random.default_rng(seed))


class Fit:
    """One call of `fit`, while it runs."""

    def __init__(self, asked: Request, shown: Progress):
        self.asked, self.shown, self.training = asked, shown, asked.training
        names = ["loss", *(["metric"] if asked.metric else [])]
        names += [f"val_{name}" for name in names] if asked.measuring else []
        self.history: dict[str, list[float]] = {name: [] for name in (*names, "seconds", "samples_per_second")}
        self.best: tuple[float, int, Any] = (float("inf"), 0, None)  # validation loss, its epoch, parameters

    def run(self, rng: np.random.Generator) -> FitResult:
        stopped, interrupted = "", False
        try:
            for epoch in range(1, self.asked.epochs + 1):
                stopped = self.epoch(epoch, rng.permutation(self.asked.data.count))
                if stopped:
                    break
        except KeyboardInterrupt:
            if not self.training.started:
                raise
            stopped, interrupted = f"interrupted in epoch {epoch}", True
        if self.training.started and not self.asked.memory.is_finite():
            self.training.rescue()
            self.fail(f"the parameters are not finite after the last step of epoch {epoch}", None, interrupted)
        return self.result(stopped, interrupted, self.best[2])

    def epoch(self, epoch: int, order: np.ndarray) -> str:
        """Train and record one epoch; why training ends with it, or ""."""
        training, history = self.training, self.history
        stop = training.epoch(order, lambda rows: self.show(epoch, rows))
        if stop is not None:
            training.back(stop)
            self.fail(f"the loss is not finite at step {stop.step + 1} of epoch {epoch}", stop)
        figures = dict(zip(("loss", "metric"), (training.sums / training.rows).tolist(), strict=True))
        if self.asked.measuring:
            figures.update(zip(("val_loss", "val_metric"), self.asked.measuring(), strict=True))
        figures["seconds"], figures["samples_per_second"] = training.seconds, training.rows / training.seconds
        for name in history:
            history[name].append(figures[name])
        return self.stalled(epoch) or self.called(epoch)

    def show(self, epoch: int, rows: int) -> None:
        training, metric = self.training, self.asked.metric
        loss, measured = (training.sums / rows).tolist()
        facts = {"loss": loss, **({self.asked.metric_name: measured} if metric else {})}
        facts |= {name.replace("val_metric", f"val_{self.asked.metric_name}"): values[-1]
                  for name, values in self.history.items() if name.startswith("val_") and values}  # fmt: skip
        self.shown.report(epoch - 1, rows, facts, rows / training.seconds)

    def stalled(self, epoch: int) -> str:
        """Early stopping: remember the best parameters, and see how long ago that was."""
        patience = self.asked.patience
        if patience is None:
            return ""
        value, (best, when, _) = self.history["val_loss"][-1], self.best
        if value < best:
            self.best = value, epoch, self.params()
            return ""
        late = epoch - when >= patience
        if late and not when:
            return "the validation loss was never finite"
        return f"no smaller validation loss since epoch {when}, whose parameters these are" if late else ""

    def called(self, epoch: int) -> str:
        for callback in self.asked.callbacks:
            if callback(epoch, self.result("", False, None)) is True:
                return f"a callback ended it after epoch {epoch}"
        return ""

    def params(self) -> Any:
        return self.asked.memory.tree(copied=True)[0]

    def result(self, stopped: str, interrupted: bool, params) -> FitResult:
        history = {name: list(values) for name, values in self.history.items()}
        kernel = self.training.whole.kernel
        return FitResult(self.params() if params is None else params, history, interrupted, stopped, kernel)

    def fail(self, what: str, stop: Stop | None, interrupted: bool = False) -> None:
        data = self.asked.data
        row = data.broken(stop.rows if stop else np.arange(data.count))
        kept = ".result of this error holds the last parameters with a finite loss"
        remedy = f"row {row} of the data holds nan or inf" if row is not None else "a smaller learning rate"
        error = NonFiniteError(f"fit: {what}", hint=f"{remedy}; {kept}")
        error.result = self.result(what, interrupted, None)
        raise error
