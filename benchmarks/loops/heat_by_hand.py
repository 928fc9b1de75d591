"""The heat equation by hand: the loop, and its adjoint.

The adjoint stores every profile. A step is its own transpose, so going back is the same step with ends at zero; the
gradient for the diffusivity is collected in the same pass over the cells.
"""

import numba
import numpy as np

njit = numba.njit(fastmath={"contract", "arcp", "nsz", "afn", "reassoc"}, error_model="numpy", cache=True)


@njit
def step(k, u, out):
    """One step from u to out, whose ends hold their values already."""
    for i in range(1, u.shape[0] - 1):
        out[i] = u[i] + k[i] * (u[i + 1] - u[i]) - k[i - 1] * (u[i] - u[i - 1])


@njit
def half_square(u, observed):
    total = 0.0
    for i in range(u.shape[0]):
        total += (u[i] - observed[i]) ** 2
    return 0.5 * total


@njit
def primal(k, start, observed, steps):
    u, other = start.copy(), start.copy()
    for _ in range(steps):
        step(k, u, other)
        u, other = other, u
    return half_square(u, observed)


@njit
def step_back(k, u, g, out, gk):
    """The cotangent after the step, g, to the one before it, out; both are zero at the ends. Adds to gk that of k."""
    last = k.shape[0] - 1
    for i in range(1, last + 1):
        slope = g[i] - g[i - 1]
        out[i] = g[i] + k[i] * (g[i + 1] - g[i]) - k[i - 1] * slope
        gk[i - 1] -= slope * (u[i] - u[i - 1])
    gk[last] += g[last] * (u[last + 1] - u[last])


@njit
def adjoint(k, start, observed, steps):
    """Returns (value, gradient for k). The ends are given, so their cotangents are left out."""
    n = start.shape[0]
    us = np.empty((steps + 1, n))
    us[0] = start
    for t in range(steps):
        us[t + 1, 0], us[t + 1, n - 1] = start[0], start[n - 1]
        step(k, us[t], us[t + 1])
    g, other, gk = us[steps] - observed, np.zeros(n), np.zeros(n - 1)
    g[0] = g[n - 1] = 0
    for t in range(steps - 1, -1, -1):
        step_back(k, us[t], g, other, gk)
        g, other = other, g
    return half_square(us[steps], observed), gk
