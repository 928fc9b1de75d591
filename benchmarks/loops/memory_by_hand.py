"""The steps of rk4_by_hand.py for many systems at once: the loop, and its adjoint, which stores every carry."""

import numpy as np

from benchmarks.loops.rk4_by_hand import njit, step, step_back


@njit
def step_all(params, state, out, h):
    """params: f64[4, systems]; state, out: f64[2, systems], or the same array twice."""
    for s in range(state.shape[1]):
        x, y = state[0, s], state[1, s]
        out[0, s], out[1, s] = step(x, y, params[0, s], params[1, s], params[2, s], params[3, s], h)


@njit
def step_back_all(params, state, g, g_params, h):
    for s in range(state.shape[1]):
        a, b, c, d = params[0, s], params[1, s], params[2, s], params[3, s]
        gx, gy, ga, gb, gc, gd = step_back(state[0, s], state[1, s], a, b, c, d, h, g[0, s], g[1, s])
        g[0, s], g[1, s] = gx, gy
        g_params[0, s] += ga
        g_params[1, s] += gb
        g_params[2, s] += gc
        g_params[3, s] += gd


@njit
def primal(params, start, h, steps):
    state = start.copy()
    for _ in range(steps):
        step_all(params, state, state, h)
    return (state * state).sum()


@njit
def adjoint(params, start, h, steps):
    """Returns (value, (gradient for params, gradient for start))."""
    carries = np.empty((steps + 1, *start.shape))
    carries[0] = start
    for t in range(steps):
        step_all(params, carries[t], carries[t + 1], h)
    end = carries[steps]
    g, g_params = 2 * end, np.zeros_like(params)
    for t in range(steps - 1, -1, -1):
        step_back_all(params, carries[t], g, g_params, h)
    return (end * end).sum(), (g_params, g)
