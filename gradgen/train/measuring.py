"""Loss and metric over a data set: the compiled pass behind the validation figures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradgen.train.memory import Memory
from gradgen.train.passes import compiled_pass
from gradgen.train.rows import Rows
from gradgen.train.step import measuring_kernel
from gradgen.trace.pytree import flatten

LIMIT = 256  # rows of a batch, where training's own are not larger: it bounds the workspace


class Measuring:
    """Call it for (loss, metric) of the parameters that `memory` starts with; metric is 0 where there is none."""

    def __init__(self, loss: Callable, metric: Callable | None, params, memory: Memory, data: Rows, limit: int, options: dict):
        count = len(flatten(params)[0])
        leaves = [*memory.arrays[:count], *flatten((data.x, data.y))[0], None]
        # batches of nearly equal size: one kernel serves both sizes, and none is left with a single row
        parts = -(-data.count // max(limit, LIMIT))
        small, larger = divmod(data.count, parts)
        order = np.arange(data.count)
        self.runs, self.count = [], data.count
        for batch, batches, rows in ((small + 1, larger, order), (small, parts - larger, order[(small + 1) * larger :])):
            if batches:
                kernel = measuring_kernel(loss, metric, (params, data.x, data.y), batch, options)
                self.runs.append((compiled_pass(kernel, leaves, count, False, batch), rows, batches))

    def __call__(self) -> tuple[float, float]:
        sums = np.zeros(2)
        for run, rows, batches in self.runs:
            run(rows, 0, batches, sums)
        loss, metric = sums / self.count
        return float(loss), float(metric)
