"""What the emitter prints, in a few small modules for review. That it is right, other tests show by numbers.

`pytest --update-golden tests/golden` rewrites the files *.py.txt; their diff is read like code.
"""

import re
from pathlib import Path

import numpy as np
import pytest

import gradgen as gg

FOLDER = Path(__file__).parent


def formula(x):
    return np.sqrt(x * x + np.exp(x * x))


def neuron(w, x, b):
    return 1 / (1 + np.exp(-(np.dot(w, x) + b)))


def tanh_layer(params, x):
    h = np.tanh(x @ params["w"] + params["b"])
    return np.sum(h * h)


def cross_entropy(z, labels):
    shifted = z - np.max(z, axis=1, keepdims=True)
    log_p = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return -np.mean(log_p[np.arange(z.shape[0]), labels])


def read(x, index):
    return np.sum(x[index] ** 2)


def mean_square(x, y):
    return np.mean((x - y) ** 2)


def column_sums(x):
    return np.sum(x, axis=0)


def joined(x, y):
    return np.concatenate([np.sin(x), x[1:] * y])


def rk4(p, start):
    """Lotka-Volterra by Runge and Kutta's method, 10,000 steps."""
    a, b, c, d = p
    h = 0.001

    def f(x, y):
        return a * x - b * x * y, c * x * y - d * y

    def body(i, state):
        x, y = state
        k1x, k1y = f(x, y)
        k2x, k2y = f(x + h / 2 * k1x, y + h / 2 * k1y)
        k3x, k3y = f(x + h / 2 * k2x, y + h / 2 * k2y)
        k4x, k4y = f(x + h * k3x, y + h * k3y)
        return x + h / 6 * (k1x + 2 * k2x + 2 * k3x + k4x), y + h / 6 * (k1y + 2 * k2y + 2 * k3y + k4y)

    x, y = gg.fori_loop(0, 10_000, body, start)
    return x * x + y * y


def grows_until(x, limit):
    return gg.while_loop(lambda c: c < limit, lambda c: c + np.sin(c) * x, x)


def walks_and_turns(x, w):
    def body(c, w):
        c = gg.cond(c > 0, lambda c: np.sin(c) * w, lambda c: np.exp(c) - w, c)
        return c, c * c

    return np.sum(gg.scan(body, x, w)[1])


CASES = {
    "formula": (gg.grad(formula), 0.5),
    "neuron": (gg.grad(neuron, argnums=(0, 1, 2)), np.ones(3), np.ones(3), 0.5),
    "tanh_layer": (gg.grad(tanh_layer), {"w": np.ones((4, 5)), "b": np.ones(5)}, np.ones((8, 4))),
    "cross_entropy": (gg.value_and_grad(cross_entropy), np.ones((8, 3)), np.zeros(8, np.int64)),
    "read": (gg.grad(read), np.ones((6, 2)), np.zeros(4, np.int64)),
    "mean_square": (gg.value_and_grad(mean_square, sizes="symbolic"), np.ones(7), np.ones(7)),
    "column_sums": (gg.jit(column_sums), np.ones((6, 4), np.float32)),
    "rk4_gradient": (gg.value_and_grad(rk4, argnums=(0, 1)), (1.1, 0.4, 0.1, 0.4), (10.0, 5.0)),
    "while_gradient": (gg.grad(grows_until), 0.5, 4.0),
    "branch_in_loop": (gg.grad(walks_and_turns), 0.5, np.ones(6)),
    "joined": (gg.jit(joined), np.ones(5), 2.0),
}


def readable(source: str) -> str:
    """Without what differs from machine to machine: hashes, folders, gradgen's version."""
    source = re.sub(r"_[0-9a-f]{10}(?![0-9a-z])", "_HASH", source)
    source = re.sub(r"[\w./\\-]*[/\\](?=test_golden\.py)", "", source)
    return source.replace(f"gradgen {gg.__version__} ", "gradgen ")


@pytest.mark.parametrize("name", CASES)
def test_the_emitted_module_is_the_reviewed_one(name, request):
    function, *args = CASES[name]
    found = readable(function.source(*args))
    path = FOLDER / f"{name}.py.txt"
    if request.config.getoption("--update-golden"):
        path.write_text(found)
    assert found == path.read_text(), "pytest --update-golden rewrites it, for review"
