"""Small problems that the tests of training share, with losses that compile in a second: no matrix products."""

import numpy as np

from gradgen import tape
from gradgen.train.hyperparameters import filled, values

WEIGHTS = np.array([1.0, -2.0, 0.5])


def loss(params, x, y):
    """Half the mean squared error of a straight line."""
    return 0.5 * np.mean(np.square(np.sum(x * params["w"], axis=1) + params["b"] - y))


def error(params, x, y):
    return np.mean(np.abs(np.sum(x * params["w"], axis=1) + params["b"] - y))


def start(dtype=np.float64):
    """A leaf with axes and one without."""
    return {"w": np.array([0.3, 0.1, -0.2], dtype), "b": dtype(0.25)}


def data(count=70, dtype=np.float64):
    rng = np.random.default_rng(7)
    x = rng.standard_normal((count, 3))
    return x.astype(dtype), (x @ WEIGHTS + 0.3 + 0.1 * rng.standard_normal(count)).astype(dtype)


def by_hand(loss, params, rows, optimizer, epochs, batch, seed=0, drop_last=False, steps=None):
    """What fit does, in a plain Python loop over the tape: parameters and the mean loss of each epoch."""
    value_and_grad, rng = tape.value_and_grad(loss), np.random.default_rng(seed)
    x, y = rows
    state, means, done = optimizer.init(params), [], 0
    for _ in range(epochs):
        order, total, seen = rng.permutation(len(x)), 0.0, 0
        for first in range(0, len(x), batch):
            chosen = order[first : first + batch]
            if done == steps or (drop_last and len(chosen) < batch):
                break
            value, grads = value_and_grad(params, x[chosen], y[chosen])
            params, state = optimizer.update(grads, state, params)
            done, total, seen = done + 1, total + float(value) * len(chosen), seen + len(chosen)
        means.append(total / max(seen, 1))
    return params, means


def same_numbers(optimizer):
    """The optimiser, rebuilt from its own numbers."""
    return filled(optimizer, values(optimizer))
