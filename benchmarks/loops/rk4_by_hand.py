"""Runge and Kutta's method for Lotka and Volterra's equations by hand: the loop, and its adjoint.

The adjoint stores the two carries of every step. Going back it computes the stages of a step again, in registers,
which is cheaper than to store and load them.
"""

import numba
import numpy as np

njit = numba.njit(fastmath={"contract", "arcp", "nsz", "afn", "reassoc"}, error_model="numpy", cache=True)


@njit
def step(x, y, a, b, c, d, h):
    k1, l1 = a * x - b * x * y, c * x * y - d * y
    x2, y2 = x + h / 2 * k1, y + h / 2 * l1
    k2, l2 = a * x2 - b * x2 * y2, c * x2 * y2 - d * y2
    x3, y3 = x + h / 2 * k2, y + h / 2 * l2
    k3, l3 = a * x3 - b * x3 * y3, c * x3 * y3 - d * y3
    x4, y4 = x + h * k3, y + h * l3
    k4, l4 = a * x4 - b * x4 * y4, c * x4 * y4 - d * y4
    return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), y + h / 6 * (l1 + 2 * l2 + 2 * l3 + l4)


@njit
def field_back(x, y, a, b, c, d, p, q):
    """Cotangents of x, y, a, b, c, d, where those of x' and y' are p and q."""
    gx = p * (a - b * y) + q * c * y
    gy = q * (c * x - d) - p * b * x
    return gx, gy, p * x, -p * x * y, q * x * y, -q * y


@njit
def step_back(x, y, a, b, c, d, h, gx, gy):
    """Cotangents of x, y, a, b, c, d before the step, where those of x and y after it are gx and gy."""
    x2, y2 = x + h / 2 * (a * x - b * x * y), y + h / 2 * (c * x * y - d * y)
    x3, y3 = x + h / 2 * (a * x2 - b * x2 * y2), y + h / 2 * (c * x2 * y2 - d * y2)
    x4, y4 = x + h * (a * x3 - b * x3 * y3), y + h * (c * x3 * y3 - d * y3)
    p4, q4, a4, b4, c4, d4 = field_back(x4, y4, a, b, c, d, h / 6 * gx, h / 6 * gy)
    p3, q3, a3, b3, c3, d3 = field_back(x3, y3, a, b, c, d, h / 3 * gx + h * p4, h / 3 * gy + h * q4)
    p2, q2, a2, b2, c2, d2 = field_back(x2, y2, a, b, c, d, h / 3 * gx + h / 2 * p3, h / 3 * gy + h / 2 * q3)
    p1, q1, a1, b1, c1, d1 = field_back(x, y, a, b, c, d, h / 6 * gx + h / 2 * p2, h / 6 * gy + h / 2 * q2)
    return (
        gx + p1 + p2 + p3 + p4,
        gy + q1 + q2 + q3 + q4,
        a1 + a2 + a3 + a4,
        b1 + b2 + b3 + b4,
        c1 + c2 + c3 + c4,
        d1 + d2 + d3 + d4,
    )


@njit
def primal(params, start, h, steps):
    a, b, c, d = params
    x, y = start
    for _ in range(steps):
        x, y = step(x, y, a, b, c, d, h)
    return x * x + y * y


@njit
def adjoint(params, start, h, steps):
    """Returns (value, (the four gradients of params, the two of start))."""
    a, b, c, d = params
    x, y = start
    carries = np.empty((steps, 2))
    for i in range(steps):
        carries[i, 0], carries[i, 1] = x, y
        x, y = step(x, y, a, b, c, d, h)
    gx, gy = 2 * x, 2 * y
    ga = gb = gc = gd = 0.0
    for i in range(steps - 1, -1, -1):
        gx, gy, pa, pb, pc, pd = step_back(carries[i, 0], carries[i, 1], a, b, c, d, h, gx, gy)
        ga += pa
        gb += pb
        gc += pc
        gd += pd
    return x * x + y * y, ((ga, gb, gc, gd), (gx, gy))
