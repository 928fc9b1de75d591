"""The derivative worked out by hand, in NumPy: a contender in float32, and in float64 what all are compared with."""

import numpy as np

from benchmarks.harness import Call
from benchmarks.mlp.problem import RATE, Problem


def step(params, x, y, loss: str):
    """One step. Returns (loss, new params); dtype and shapes as in problem.py."""
    weights, biases = params[::2], params[1::2]
    inputs = [x]
    for W, b in zip(weights[:-1], biases[:-1], strict=True):
        inputs.append(np.tanh(inputs[-1] @ W + b))
    value, delta = output_layer(inputs[-1] @ weights[-1] + biases[-1], y, loss)
    updated = []
    for layer in reversed(range(len(weights))):
        updated += [biases[layer] - RATE * delta.sum(0), weights[layer] - RATE * (inputs[layer].T @ delta)]
        if layer:
            delta = (delta @ weights[layer].T) * (1 - inputs[layer] ** 2)
    return value, tuple(reversed(updated))


def output_layer(z, y, loss: str):
    """The loss, and its derivative by z."""
    n = len(z)
    if loss == "mse":
        a = 1 / (1 + np.exp(-z))
        return ((a - y) ** 2).sum() / (2 * n), (a - y) * a * (1 - a) / n
    shifted = z - z.max(1, keepdims=True)
    exps = np.exp(shifted)
    sums = exps.sum(1, keepdims=True)
    return (y * (np.log(sums) - shifted)).sum() / n, (exps / sums - y) / n


# What is compared


def after_step(problem: Problem, value, params) -> dict:
    """A step as the comparison sees it: the change, since in whole parameters a wrong gradient would be lost."""
    return {"loss": np.float32(value), "change": change(problem, params)}


def after_run(problem: Problem, params) -> dict:
    """A run of the loop as the comparison sees it: the loss over all data, and the change."""
    return {"whole loss": whole_loss(problem, params), "change": change(problem, params)}


def change(problem: Problem, params) -> list[np.ndarray]:
    return [np.asarray(new) - old for new, old in zip(params, problem.params, strict=True)]


def whole_loss(problem: Problem, params) -> np.float32:
    """Computed here for all contenders, in float64, by the hand-written formulas."""
    X, Y = problem.data
    value, _ = step([np.asarray(p, np.float64) for p in params], X.astype(np.float64), Y, problem.loss)
    return np.float32(value)


def reference_step(problem: Problem) -> dict:
    params = tuple(p.astype(np.float64) for p in problem.params)
    return after_step(problem, *step(params, *(a.astype(np.float64) for a in problem.first_batch), problem.loss))


def reference_epoch(problem: Problem) -> dict:
    params = tuple(p.astype(np.float64) for p in problem.params)
    X, Y = (a.astype(np.float64) for a in problem.data)
    for rows in problem.order:
        _, params = step(params, X[rows], Y[rows], problem.loss)
    return after_run(problem, params)


# The contender


def call(problem: Problem) -> Call:
    args = (problem.params, *problem.first_batch, problem.loss)
    return Call(step, args, read=lambda result: after_step(problem, *result))
