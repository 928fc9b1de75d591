"""What a pass over the data repeats, as functions to compile.

    step(params, state, x, y, index, optimizer) -> params, state, loss, metric      in the memory of its arguments
    measure(params, x, y, index)                -> loss, metric

x and y are all rows, `index` says which of them make the mini-batch: the gather is part of the kernel, and one kernel
serves data sets of any length. `metric` is left out where there is none. Both share the forward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

import numpy as np

from gradgen import api
from gradgen.compiled import CompiledFunction
from gradgen.errors import ArgumentError
from gradgen.ir.types import SHORT
from gradgen.keeping import kept
from gradgen.runtime.kernel import Kernel
from gradgen.trace.pytree import flatten, unflatten
from gradgen.train import hyperparameters


def training_kernel(
    loss: Callable, metric: Callable | None, optimizer, args: tuple, batch: int, static: bool, options: dict
) -> Kernel:
    """The step for args = (params, state, x, y); `batch` rows, or any number above 1 unless `static`."""
    params, state, x, y = args
    value_and_grad = api.value_and_grad(loss)

    def step(params, state, x, y, index, numbers):
        rows = _gather((x, y), index)
        value, grads = value_and_grad(params, *rows)
        chosen = hyperparameters.filled(optimizer, numbers)
        new_params, new_state = chosen.update(grads, state, params)
        return new_params, new_state, value, *_metric(metric, params, rows)

    carried = len(flatten((params, state))[0])
    numbers = hyperparameters.values(optimizer)
    signature = _signature((params, state), (x, y), batch if static else "b", numbers)
    settings = api.settings(signature=signature, donate=tuple((k, k) for k in range(carried)), **options)
    names = ("params", "state", "x", "y", "index", "optimizer")
    key = ("step", hyperparameters.form(optimizer), metric, settings)
    compiled = _kept(loss, key, lambda: CompiledFunction(loss, step, "step", settings, None, names))
    kernel = compiled.kernel(params, state, x, y, np.zeros(batch, np.int64), numbers)
    _check_types(kernel, carried)
    return kernel


def measuring_kernel(loss: Callable, metric: Callable | None, args: tuple, batch: int, options: dict) -> Kernel:
    """The measurement for args = (params, x, y): any number of rows above 1, or 1."""
    params, x, y = args

    def measure(params, x, y, index):
        rows = _gather((x, y), index)
        return loss(params, *rows), *_metric(metric, params, rows)

    signature = _signature(params, (x, y), "b" if batch > 1 else 1, None)
    settings = api.settings(signature=signature, **options)
    key = ("measure", metric, settings)
    names = ("params", "x", "y", "index")
    compiled = _kept(loss, key, lambda: CompiledFunction(loss, measure, "measure", settings, None, names))
    kernel = compiled.kernel(params, x, y, np.zeros(batch, np.int64))
    _check_scalars(kernel, 0)
    return kernel


def _gather(tree, index):
    leaves, spec = flatten(tree)
    return unflatten(spec, [np.take(leaf, index, axis=0) for leaf in leaves])


def _metric(metric: Callable | None, params, rows: tuple) -> tuple:
    return () if metric is None else (metric(params, *rows),)


def _signature(carried, data, batch: int | str, numbers) -> tuple[str, ...]:
    """One type per leaf: the number of rows of the data set is a symbol."""

    def text(leaf, *first) -> str:
        leaf = np.asarray(leaf)
        return f"{SHORT[leaf.dtype.name]}[{','.join(map(str, (*first, *leaf.shape[len(first) :])))}]"

    leaves = [text(leaf) for leaf in flatten(carried)[0]]
    leaves += [text(leaf, "n") for leaf in flatten(data)[0]]
    return (*leaves, f"i64[{batch}]", *(text(leaf) for leaf in flatten(numbers)[0]))


def _kept(loss: Callable, key: Hashable, make: Callable[[], CompiledFunction]) -> CompiledFunction:
    try:
        hash(key)
    except TypeError:  # an optimiser of the user's own that can't be a key
        return make()
    return kept(loss, key, make)


def _check_types(kernel: Kernel, carried: int) -> None:
    """Raise ArgumentError where a step would not give back what it takes."""
    for place in range(carried):
        old, new = kernel.graph.inputs[place].type, kernel.graph.outputs[place].type
        if old != new:
            raise ArgumentError(f"fit: the optimiser turns {kernel.graph.input_names[place]} from {old} into {new}",
                                hint="an update keeps the dtype and shape of parameters and state")  # fmt: skip
    _check_scalars(kernel, carried)


def _check_scalars(kernel: Kernel, first: int) -> None:
    for what, node in zip(("loss", "metric"), kernel.graph.outputs[first:], strict=False):
        if node.shape != ():
            raise ArgumentError(f"fit: the {what} is {node.type}, not a scalar", hint="np.mean of it is one")
    if len(kernel.graph.outputs) - first > 2:
        raise ArgumentError("fit: the loss or the metric returns several values", hint="each returns one number")
