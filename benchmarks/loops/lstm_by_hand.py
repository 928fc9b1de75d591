"""The LSTM by hand: the loop, and its adjoint. sigmoid and tanh are gradgen's vectorisable ones where it is installed.

Products with a vector are loops along the rows of the transposed matrix, which vectorise. What does not depend on the
step before is one product of matrices for all steps: Wx x + b on the way there, the gradients on the way back.
The adjoint stores states and activations. Arrays are all float32 or all float64; `one` has their dtype, for in Numba
a number written out would make float64 of either.
"""

import math

import numba
import numpy as np
from numba.extending import overload

njit = numba.njit(fastmath={"contract", "arcp", "nsz", "afn", "reassoc"}, error_model="numpy", cache=True)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def tanh(x):
    return math.tanh(x)


try:
    from gradgen.runtime import vecmath

    SIGMOID = {32: vecmath.sigmoid32, 64: vecmath.sigmoid64}
    TANH = {32: vecmath.tanh32, 64: vecmath.tanh64}
except ImportError:
    SIGMOID, TANH = (dict.fromkeys((32, 64), numba.njit(function)) for function in (sigmoid, tanh))


@overload(sigmoid)
def sigmoid_of_its_dtype(x):
    compiled = SIGMOID[x.bitwidth]
    return lambda x: compiled(x)


@overload(tanh)
def tanh_of_its_dtype(x):
    compiled = TANH[x.bitwidth]
    return lambda x: compiled(x)


@njit
def before_loop(Wx, b, xs):
    """Wx x + b of all steps: f64[steps, 4 hidden]."""
    zs = np.dot(xs, Wx.T)
    for t in range(zs.shape[0]):
        for j in range(zs.shape[1]):
            zs[t, j] += b[j]
    return zs


@njit
def step(WhT, z, h, c, h_next, c_next):
    """z = Wx x + b becomes the four activations; WhT: f64[hidden, 4 hidden]."""
    n = h.shape[0]
    for k in range(0, n, 4):
        p, q, r, s = h[k], h[k + 1], h[k + 2], h[k + 3]
        for j in range(4 * n):
            z[j] += WhT[k, j] * p + WhT[k + 1, j] * q + WhT[k + 2, j] * r + WhT[k + 3, j] * s
    for j in range(2 * n):
        z[j] = sigmoid(z[j])
    for j in range(2 * n, 3 * n):
        z[j] = tanh(z[j])
    for j in range(3 * n, 4 * n):
        z[j] = sigmoid(z[j])
    for j in range(n):
        c_next[j] = z[n + j] * c[j] + z[j] * z[2 * n + j]
        h_next[j] = z[3 * n + j] * tanh(c_next[j])


@njit
def square(h, target):
    total = h.dtype.type(0)
    for j in range(h.shape[0]):
        total += (h[j] - target[j]) ** 2
    return total


@njit
def primal(Wx, Wh, b, xs, targets):
    steps, n = targets.shape
    WhT, zs = Wh.T.copy(), before_loop(Wx, b, xs)
    h, c, total = np.zeros(n, xs.dtype), np.zeros(n, xs.dtype), xs.dtype.type(0)
    for t in range(steps):
        step(WhT, zs[t], h, c, h, c)
        total += square(h, targets[t])
    return total / xs.dtype.type(2 * steps)


@njit
def step_back(Wh, z, c, c_next, gh, gc):
    """z, the activations, becomes the cotangent of what entered them; gh and gc go from after the step to before it."""
    n, one = gh.shape[0], gh.dtype.type(1)
    for j in range(n):
        i, f, g, o, top = z[j], z[n + j], z[2 * n + j], z[3 * n + j], tanh(c_next[j])
        gc[j] += gh[j] * o * (one - top * top)
        z[j] = gc[j] * g * i * (one - i)
        z[n + j] = gc[j] * c[j] * f * (one - f)
        z[2 * n + j] = gc[j] * i * (one - g * g)
        z[3 * n + j] = gh[j] * top * o * (one - o)
        gc[j] *= f
    gh[:] = 0
    for j in range(4 * n):
        for k in range(n):
            gh[k] += Wh[j, k] * z[j]


@njit
def adjoint(Wx, Wh, b, xs, targets):
    """Returns (value, (gradients for Wx, Wh, b))."""
    steps, n = targets.shape
    WhT, zs = Wh.T.copy(), before_loop(Wx, b, xs)
    hs, cs, total = np.zeros((steps + 1, n), xs.dtype), np.zeros((steps + 1, n), xs.dtype), xs.dtype.type(0)
    for t in range(steps):
        step(WhT, zs[t], hs[t], cs[t], hs[t + 1], cs[t + 1])
        total += square(hs[t + 1], targets[t])
    gh, gc, share = np.zeros(n, xs.dtype), np.zeros(n, xs.dtype), xs.dtype.type(1 / steps)
    for t in range(steps - 1, -1, -1):
        for j in range(n):
            gh[j] += share * (hs[t + 1, j] - targets[t, j])
        step_back(Wh, zs[t], cs[t], cs[t + 1], gh, gc)
    return total / xs.dtype.type(2 * steps), (np.dot(zs.T, xs), np.dot(zs.T, hs[:-1]), zs.sum(0))
