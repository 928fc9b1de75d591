"""The leapfrog of bodies under softened gravity by hand: the loop, and its adjoint.

One row of coordinates for each axis, and all pairs instead of half of them: then the loop over the second body
vectorises and nothing is scattered. The adjoint stores the positions at which each step asks for the forces.
"""

import math

import numba
import numpy as np

from benchmarks.loops.nbody import SOFTENING

njit = numba.njit(fastmath={"contract", "arcp", "nsz", "afn", "reassoc"}, error_model="numpy", cache=True)


@njit
def accelerate(x, m, a):
    """Fills a with the accelerations. x, a: f64[3, bodies], m: f64[bodies]."""
    for i in range(m.shape[0]):
        xi, yi, zi = x[0, i], x[1, i], x[2, i]
        ax = ay = az = 0.0
        for j in range(m.shape[0]):
            dx, dy, dz = x[0, j] - xi, x[1, j] - yi, x[2, j] - zi
            square = dx * dx + dy * dy + dz * dz + SOFTENING * SOFTENING
            s = m[j] / (square * math.sqrt(square))
            ax += s * dx
            ay += s * dy
            az += s * dz
        a[0, i], a[1, i], a[2, i] = ax, ay, az


@njit
def drift(x, v, h):
    for axis in range(3):
        for i in range(x.shape[1]):
            x[axis, i] += h * v[axis, i]


@njit
def half_square(x, target):
    """target: f64[bodies, 3]."""
    total = 0.0
    for i in range(x.shape[1]):
        for axis in range(3):
            total += (x[axis, i] - target[i, axis]) ** 2
    return 0.5 * total


@njit
def primal(x, v, m, target, h, steps):
    x, v = x.T.copy(), v.T.copy()
    a = np.empty_like(x)
    for _ in range(steps):
        drift(x, v, h / 2)
        accelerate(x, m, a)
        drift(v, a, h)
        drift(x, v, h / 2)
    return half_square(x, target)


@njit
def accelerate_back(x, m, p, gx, gm):
    """Adds to gx and gm the cotangents of x and m, where that of the accelerations is p.

    The pair (i, j) acts on body i twice, as the one that is pulled and as the one that pulls; s d, with s = r^-3 and
    d = x_j - x_i, changes by s (w - 3 (w d) d / r^2) in the direction of w = m_i p_j - m_j p_i, which is both at once.
    """
    for i in range(m.shape[0]):
        xi, yi, zi, mi = x[0, i], x[1, i], x[2, i], m[i]
        px, py, pz = p[0, i], p[1, i], p[2, i]
        sx = sy = sz = sm = 0.0
        for j in range(m.shape[0]):
            dx, dy, dz = x[0, j] - xi, x[1, j] - yi, x[2, j] - zi
            inverse = 1 / (dx * dx + dy * dy + dz * dz + SOFTENING * SOFTENING)
            s = inverse * math.sqrt(inverse)
            wx, wy, wz = mi * p[0, j] - m[j] * px, mi * p[1, j] - m[j] * py, mi * p[2, j] - m[j] * pz
            along = 3 * inverse * (wx * dx + wy * dy + wz * dz)
            sx += s * (wx - along * dx)
            sy += s * (wy - along * dy)
            sz += s * (wz - along * dz)
            sm -= s * (p[0, j] * dx + p[1, j] * dy + p[2, j] * dz)
        gx[0, i] += sx
        gx[1, i] += sy
        gx[2, i] += sz
        gm[i] += sm


@njit
def adjoint(x, v, m, target, h, steps):
    """Returns (value, (gradients for x, v, m))."""
    x, v = x.T.copy(), v.T.copy()
    xs = np.empty((steps, *x.shape))
    a, gm = np.empty_like(x), np.zeros_like(m)
    for t in range(steps):
        drift(x, v, h / 2)
        xs[t] = x
        accelerate(x, m, a)
        drift(v, a, h)
        drift(x, v, h / 2)
    gx, gv = x - target.T, np.zeros_like(v)
    for t in range(steps - 1, -1, -1):
        drift(gv, gx, h / 2)
        a[:] = h * gv
        accelerate_back(xs[t], m, a, gx, gm)
        drift(gv, gx, h / 2)
    return half_square(x, target), (gx.T.copy(), gv.T.copy(), gm)
