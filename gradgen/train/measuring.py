"""Loss and metric over a data set: the compiled pass behind the validation figures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradgen.trace.pytree import flatten
from gradgen.train.memory import Memory
from gradgen.train.passes import Pass, compiled_pass
from gradgen.train.rows import Rows
from gradgen.train.step import measuring_kernel

LIMIT = 256  # rows of a batch, where training's own are not larger: it bounds the workspace


class Measuring:
    """Call it for (loss, metric) of the parameters that `memory` holds then; metric is 0 where there is none."""

    def __init__(
        self, loss: Callable, metric: Callable | None, params, memory: Memory, data: Rows, batch: int, options
    ):
        """`batch`: rows at once, where that is more than LIMIT."""
        leaves = [*memory.arrays[: memory.count], *flatten((data.x, data.y))[0], None]
        # batches of nearly equal size: one kernel serves both sizes, and none is left with a single row
        parts = -(-data.count // max(batch, LIMIT))
        small, larger = divmod(data.count, parts)
        order, border = np.arange(data.count), (small + 1) * larger
        self.count = data.count
        self.runs: list[tuple[Pass, np.ndarray, int]] = []
        for size, batches, rows in ((small + 1, larger, order), (small, parts - larger, order[border:])):
            if batches:
                kernel = measuring_kernel(loss, metric, (params, data.x, data.y), size, options)
                self.runs.append((compiled_pass(kernel, leaves, memory.count, False, size), rows, batches))

    def __call__(self) -> tuple[float, float]:
        sums = np.zeros(2)
        for run, rows, batches in self.runs:
            run(rows, 0, batches, sums)
        loss, metric = sums / self.count
        return float(loss), float(metric)
