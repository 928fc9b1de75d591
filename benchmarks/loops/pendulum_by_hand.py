"""The pendulum by hand: the loop, and its adjoint, which keeps the states on a stack that doubles when it is full."""

import math

import numba
import numpy as np

from benchmarks.loops.pendulum import GRAVITY

njit = numba.njit(fastmath={"contract", "arcp", "nsz", "afn", "reassoc"}, error_model="numpy", cache=True)


@njit
def mismatch(angle, speed, time, observed):
    return (time - angle / speed - observed[0]) ** 2 + (speed - observed[1]) ** 2


@njit
def primal(length, damping, angle, observed, dt):
    pull = GRAVITY / length
    speed = time = 0.0
    while angle > 0:
        speed += dt * (-pull * math.sin(angle) - damping * speed)
        angle += dt * speed
        time += dt
    return mismatch(angle, speed, time, observed)


@njit
def doubled(stack):
    larger = np.empty((2 * stack.shape[0], 2))
    larger[: stack.shape[0]] = stack
    return larger


@njit
def adjoint(length, damping, angle, observed, dt):
    """Returns (value, (gradients for length, damping, angle))."""
    pull = GRAVITY / length
    speed = time = 0.0
    stack, steps = np.empty((1024, 2)), 0
    while angle > 0:
        if steps == stack.shape[0]:
            stack = doubled(stack)
        stack[steps, 0], stack[steps, 1] = angle, speed
        steps += 1
        speed += dt * (-pull * math.sin(angle) - damping * speed)
        angle += dt * speed
        time += dt
    value = mismatch(angle, speed, time, observed)
    late = 2 * (time - angle / speed - observed[0])
    g_angle, g_speed = -late / speed, late * angle / speed**2 + 2 * (speed - observed[1])
    g_pull = g_damping = 0.0
    for i in range(steps - 1, -1, -1):
        angle, speed = stack[i, 0], stack[i, 1]
        g_speed += dt * g_angle
        g_pull -= dt * g_speed * math.sin(angle)
        g_damping -= dt * g_speed * speed
        g_angle -= dt * g_speed * pull * math.cos(angle)
        g_speed *= 1 - dt * damping
    return value, (-g_pull * pull / length, g_damping, g_angle)
