"""The training loop as a patient person writes it for Numba: what a compiler of derivatives should come near.

Fused loops around BLAS calls into buffers that are made once, for any number of layers. exp and tanh are gradgen's
vectorisable ones where it is installed, else the C library's.
"""

import itertools
import math

import numba
import numpy as np

from benchmarks.harness import Call
from benchmarks.mlp.by_hand import after_run
from benchmarks.mlp.problem import RATE, Problem

try:
    from gradgen.runtime.vecmath import exp32, tanh32
except ImportError:
    exp32 = numba.njit(lambda x: np.float32(math.exp(x)))
    tanh32 = numba.njit(lambda x: np.float32(math.tanh(x)))

njit = numba.njit(fastmath={"contract", "arcp", "nsz", "afn", "reassoc"}, error_model="numpy")
ONE = np.float32(1)


@njit
def gather(source, rows, out):
    for i in range(out.shape[0]):
        row = rows[i]
        for j in range(out.shape[1]):
            out[i, j] = source[row, j]


@njit
def tanh_layer(x, W, b, out):
    np.dot(x, W, out=out)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = tanh32(out[i, j] + b[j])


@njit
def mse_delta(z, b, y):
    """z, the last product, becomes delta of the loss."""
    scale = ONE / np.float32(z.shape[0])
    for i in range(z.shape[0]):
        for j in range(z.shape[1]):
            a = ONE / (ONE + exp32(-(z[i, j] + b[j])))
            z[i, j] = (a - y[i, j]) * a * (ONE - a) * scale


@njit
def softmax_delta(z, b, y):
    scale = ONE / np.float32(z.shape[0])
    for i in range(z.shape[0]):
        top = np.float32(-np.inf)
        for j in range(z.shape[1]):
            z[i, j] += b[j]
            top = max(top, z[i, j])
        total = np.float32(0)
        for j in range(z.shape[1]):
            z[i, j] = exp32(z[i, j] - top)
            total += z[i, j]
        for j in range(z.shape[1]):
            z[i, j] = (z[i, j] / total - y[i, j]) * scale


@njit
def tanh_backward(a, delta):
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            delta[i, j] *= ONE - a[i, j] * a[i, j]


@njit
def update(W, gW, b, gb, delta):
    rate = np.float32(RATE)
    gb[:] = 0
    for i in range(delta.shape[0]):
        for j in range(delta.shape[1]):
            gb[j] += delta[i, j]
    for j in range(b.shape[0]):
        b[j] -= rate * gb[j]
    for i in range(W.shape[0]):
        for j in range(W.shape[1]):
            W[i, j] -= rate * gW[i, j]


def training_loop(delta_of_loss):
    """Ws, bs, and the buffers below, are tuples of arrays, one for each layer; acts[0] holds the batch."""

    @njit
    def train(Ws, bs, X, Y, order, epochs, acts, deltas, gWs, gbs, y):
        last = len(Ws) - 1
        for step in range(epochs * order.shape[0]):
            rows = order[step % order.shape[0]]
            gather(X, rows, acts[0])
            gather(Y, rows, y)
            for layer in range(last):
                tanh_layer(acts[layer], Ws[layer], bs[layer], acts[layer + 1])
            np.dot(acts[last], Ws[last], out=deltas[last])
            delta_of_loss(deltas[last], bs[last], y)
            for layer in range(last, -1, -1):
                np.dot(acts[layer].T, deltas[layer], out=gWs[layer])
                if layer > 0:
                    np.dot(deltas[layer], Ws[layer].T, out=deltas[layer - 1])
                    tanh_backward(acts[layer], deltas[layer - 1])
                update(Ws[layer], gWs[layer], bs[layer], gbs[layer], deltas[layer])

    return train


def loop(problem: Problem) -> Call:
    train = training_loop(mse_delta if problem.loss == "mse" else softmax_delta)
    n, sizes = problem.batch, problem.sizes

    def buffers(*shapes):
        return tuple(np.empty(shape, np.float32) for shape in shapes)

    acts, deltas = buffers(*((n, size) for size in sizes[:-1])), buffers(*((n, size) for size in sizes[1:]))
    gWs, gbs = buffers(*itertools.pairwise(sizes)), buffers(*sizes[1:])
    y = np.empty((n, sizes[-1]), np.float32)

    def run(epochs):
        params = tuple(p.copy() for p in problem.params)
        train(params[::2], params[1::2], *problem.data, problem.order, epochs, acts, deltas, gWs, gbs, y)
        return params

    return Call(
        run, (problem.epochs,), problem.steps, checked_args=(1,), read=lambda params: after_run(problem, params)
    )
