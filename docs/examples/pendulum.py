"""The period of a pendulum, which an event ends: its gradient through a while loop.

    python docs/examples/pendulum.py [--step 0.002] [--target 2.1] [--plot pendulum.png]

A pendulum is let go at an angle. gg.while_loop integrates angle'' = -(g / length) sin(angle) - damping angle' by
Runge-Kutta's fourth-order method until the velocity changes its sign; how many steps that takes depends on the values.
One last step, with the velocity in place of time as the independent variable, then ends where it is 0 (M. Henon, On
the numerical computation of Poincare maps, Physica D 5, 1982), so that the time is a smooth function of everything.

Without damping the period is 4 sqrt(length / g) K(m), m = sin(angle / 2)^2, where K is the complete elliptic integral.
"""

import argparse
import time

import numpy as np
from scipy.special import ellipe, ellipk

import gradgen as gg

GRAVITY = 9.80665  # m/s^2, standard gravity (CGPM 1901)


def rk4(rate, state, h):
    """One step of the classical Runge-Kutta method for state' = rate(*state)."""
    k1 = rate(*state)
    k2 = rate(*(s + h / 2 * k for s, k in zip(state, k1, strict=True)))
    k3 = rate(*(s + h / 2 * k for s, k in zip(state, k2, strict=True)))
    k4 = rate(*(s + h * k for s, k in zip(state, k3, strict=True)))
    return tuple(s + h / 6 * (a + 2 * b + 2 * c + d) for s, a, b, c, d in zip(state, k1, k2, k3, k4, strict=True))


def half_swing(angle, length, damping, h):
    """(seconds, angle) from rest at a positive angle, in radians, to rest on the other side."""

    def in_time(_, angle, velocity):
        return 1.0, velocity, -GRAVITY / length * np.sin(angle) - damping * velocity

    def in_velocity(*state):
        _, dangle, dvelocity = in_time(*state)
        return 1 / dvelocity, dangle / dvelocity, 1.0

    state = gg.while_loop(lambda s: s[2] <= 0, lambda s: rk4(in_time, s, h), (0.0, angle, 0.0), max_steps=10_000_000)
    seconds, angle, _ = rk4(in_velocity, state, -state[2])
    return seconds, -angle


def period(angle, length, damping, h):
    """Seconds from rest at the angle, in radians, back to rest on the same side."""
    there, other_angle = half_swing(angle, length, damping, h)
    back, _ = half_swing(other_angle, length, damping, h)
    return there + back


period_and_slopes = gg.value_and_grad(period, argnums=("angle", "length", "damping"))


def formula(angle, length):
    """(period, its derivative for the angle) without damping."""
    m = np.sin(angle / 2) ** 2
    dk_dm = (ellipe(m) - (1 - m) * ellipk(m)) / (2 * m * (1 - m))
    return 4 * np.sqrt(length / GRAVITY) * ellipk(m), 4 * np.sqrt(length / GRAVITY) * dk_dm * np.sin(angle) / 2


def angle_for(target, length, h, angle=1.0):
    """The angle that gives a period, by Newton's method: [(angle, period), ...]."""
    path = []
    for _ in range(20):
        seconds, (slope, _, _) = period_and_slopes(angle, length, 0.0, h)
        path.append((angle, seconds))
        if abs(seconds - target) < 1e-12 * target:
            break
        angle = min(max(angle - (seconds - target) / slope, angle / 2), (angle + np.pi) / 2)  # within 0 and pi
    return path


def plot(file, target, design, h):
    """Periods over angles, with and without damping, where matplotlib is installed."""
    try:
        import matplotlib.pyplot as plt
    except ModuleNotFoundError:
        return
    angles = np.linspace(0.05, 3.0, 60)
    figure, axes = plt.subplots(figsize=(8, 4))
    axes.plot(angles, formula(angles, 1.0)[0], "k", label="elliptic integral")
    for damping, mark in ((0.0, "o"), (0.5, "^")):
        swings = gg.jit(gg.vmap(period, in_axes=(0, None, None, None)))(angles, 1.0, damping, h)
        axes.plot(angles, swings, mark, markersize=3, label=f"while_loop, damping {damping}/s")
    axes.plot([0, design, design], [target, target, 0], "--", linewidth=0.8, label=f"{target} s")
    axes.set(xlabel="angle", ylabel="period in s", xlim=(0, 3.1), ylim=(1.9, 4.5))
    axes.legend()
    figure.savefig(file)
    print(f"picture                {file}")


def main(argv=None):
    """Returns (period and its slope for the angle at 1 radian, the angle found for the target)."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--step", type=float, default=0.002, help="seconds a step")
    parser.add_argument("--target", type=float, default=2.1, help="period to design for, in seconds")
    parser.add_argument("--plot", default="pendulum.png", help="file of the picture")
    options = parser.parse_args(argv)

    args = 1.0, 1.0, 0.0, options.step
    seconds, slopes = period_and_slopes(*args)
    calls, started = 100, time.perf_counter()
    for _ in range(calls):
        period_and_slopes(*args)
    each = (time.perf_counter() - started) / calls
    exact, exact_slope = formula(1.0, 1.0)
    print(f"period                 {seconds:.10f} s, elliptic integral {exact:.10f} s")
    print(f"its slope: angle       {slopes[0]:.10f} s/rad, elliptic integral {exact_slope:.10f} s/rad")
    print(f"           length      {slopes[1]:.10f} s/m, half of period / length {exact / 2:.10f} s/m")
    print(f"           damping     {slopes[2]:.10f} s*s")
    print(f"value and gradient     {each * 1e6:.0f} microseconds, {int(seconds / options.step)} steps there and back")
    path = angle_for(options.target, 1.0, options.step)
    print(f"the angle for {options.target} s, by Newton's method:")
    for angle, its_period in path:
        print(f"  angle {angle:.10f}   period {its_period:.10f} s")
    print(f"generated module       {period_and_slopes.kernel(*args).path}")
    plot(options.plot, options.target, path[-1][0], options.step)
    return (seconds, slopes[0]), path[-1][0]


if __name__ == "__main__":
    main()
