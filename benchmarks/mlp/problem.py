"""What an MLP benchmark computes, for all contenders alike: network, loss, data, starting point and order of batches.

    a = x;  a = tanh(a @ W + b) for each hidden layer;  z = a @ W + b for the last
    "mse":      loss = 1/(2n) * sum (sigmoid(z) - y)^2
    "softmax":  loss = -1/n * sum y * log_softmax(z)
    W = W - rate * dW,  b = b - rate * db

n is the rows of the batch, y is one-hot. Parameters are one flat tuple (W1, b1, W2, b2, ...), float32. Step s of a run
takes the rows `order[s % len(order)]` of X and Y.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

RATE = 0.1


@dataclass(frozen=True)
class Problem:
    """sizes: features, hidden layers, classes. epochs: of a timed run of the loop. batches: in an epoch."""

    sizes: tuple[int, ...]
    batch: int
    loss: str  # "mse" or "softmax"
    batches: int
    epochs: int

    @property
    def layers(self) -> int:
        return len(self.sizes) - 1

    @cached_property
    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """X: f32[rows, features], standard normal. Y: f32[rows, classes], one-hot, by a linear teacher."""
        rng = np.random.default_rng(1)
        X = rng.standard_normal((self.batch * self.batches, self.sizes[0]), dtype=np.float32)
        teacher = rng.standard_normal((self.sizes[0], self.sizes[-1]), dtype=np.float32)
        return X, np.eye(self.sizes[-1], dtype=np.float32)[np.argmax(X @ teacher, axis=1)]

    @cached_property
    def params(self) -> tuple[np.ndarray, ...]:
        """Xavier weights, small biases."""
        rng = np.random.default_rng(2)
        shapes = [shape for n, m in pairwise(self.sizes) for shape in ((n, m), (m,))]
        scales = [np.sqrt(2 / sum(shape)) if len(shape) == 2 else 0.1 for shape in shapes]
        return tuple(
            (s * rng.standard_normal(shape)).astype(np.float32) for s, shape in zip(scales, shapes, strict=True)
        )

    @cached_property
    def order(self) -> np.ndarray:
        """i32[batches, batch]: an epoch's rows, shuffled."""
        rows = np.random.default_rng(3).permutation(self.batch * self.batches)
        return rows.reshape(self.batches, self.batch).astype(np.int32)

    @cached_property
    def first_batch(self) -> tuple[np.ndarray, np.ndarray]:
        X, Y = self.data
        return X[self.order[0]], Y[self.order[0]]

    @property
    def steps(self) -> int:
        return self.epochs * self.batches


def network(xp, params, x):
    """The network's last z, for any array library `xp` with NumPy's names."""
    for W, b in zip(params[:-2:2], params[1:-2:2], strict=True):
        x = xp.tanh(x @ W + b)
    return x @ params[-2] + params[-1]
