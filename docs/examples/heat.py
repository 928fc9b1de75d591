"""What a rod is made of: a diffusivity field from the temperatures it leads to.

    python docs/examples/heat.py [--cells 64] [--steps 1000] [--plot heat.png]

A rod of length 1 is held at 0 at both ends. Its diffusivity D varies along it and is unknown. Four experiments start
from known temperatures, and the final ones are measured, with errors. Explicit finite volumes integrate

    u_t = (D u_x)_x     u[k] += dt/dx^2 (D[k+1/2] (u[k+1] - u[k]) - D[k-1/2] (u[k] - u[k-1]))

in a gg.fori_loop, where `u.at[1:-1].add(...)` writes into the array in place. The gradient of the misfit, for all cells
of D, costs about as much as a few solutions. L-BFGS-B keeps D between bounds; a small penalty on jumps of D chooses
among the fields that the measurements cannot tell apart. The "measurements" come from the same solver, with a known
field: so the result can be held against the truth, and is better than it would be in a laboratory.
"""

import argparse
import time

import numpy as np
from scipy.optimize import minimize

import gradgen as gg

LOW, HIGH = 0.2, 2.0  # bounds on D
DURATION = 0.05  # the slowest wave decays by exp(-pi^2 * 0.05) = 0.6 where D = 1


def true_diffusivity(x):
    """A soft inclusion of good conductor on the left, one of bad conductor on the right."""
    return 1 + 0.6 * np.exp(-(((x - 0.3) / 0.1) ** 2)) - 0.5 * np.exp(-(((x - 0.7) / 0.08) ** 2))


def final(d, u, steps):
    """Temperatures u f[n + 1, experiments] after DURATION; d f[n]: diffusivity between neighbouring points."""
    rate = (DURATION / steps * d.shape[0] ** 2 * d)[:, None]

    def step(_, u):
        flux = rate * (u[1:] - u[:-1])
        return u.at[1:-1].add(flux[1:] - flux[:-1])

    return gg.fori_loop(0, steps, step, u)


@gg.value_and_grad
def misfit(d, first, measured, steps, penalty):
    """Half the mean square error of the final temperatures, and the penalty on jumps of d."""
    error = final(d, first, steps) - measured
    return np.mean(error**2) / 2 + penalty * np.sum((d[1:] - d[:-1]) ** 2)


def plot(file, x, truth, found, first, measured):
    """The fields, and what was measured, where matplotlib is installed."""
    try:
        import matplotlib.pyplot as plt
    except ModuleNotFoundError:
        return
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    middles = (x[1:] + x[:-1]) / 2
    left.plot(middles, truth, "k", label="true")
    left.plot(middles, found, "o", markersize=3, label="recovered")
    left.set(xlabel="x", ylabel="diffusivity")
    left.legend()
    for before, after in zip(first.T, measured.T, strict=True):
        (line,) = right.plot(x, before, "--", linewidth=0.8)
        right.plot(x, after, color=line.get_color())
    right.set(xlabel="x", ylabel="temperature at first (dashed), measured")
    figure.savefig(file)
    print(f"picture           {file}")


def main(argv=None):
    """Returns (recovered diffusivities, true ones)."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=64)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--noise", type=float, default=1e-3, help="standard deviation of an error of measurement")
    parser.add_argument("--penalty", type=float, default=1e-6, help="what a squared jump of the diffusivity costs")
    parser.add_argument("--plot", default="heat.png", help="file of the picture")
    options = parser.parse_args(argv)
    n, steps = options.cells, options.steps
    if 2 * HIGH * DURATION * n**2 > steps:
        parser.error(f"explicit steps are stable from --steps {int(np.ceil(2 * HIGH * DURATION * n**2))} on")

    x = np.linspace(0, 1, n + 1)
    truth = true_diffusivity((x[1:] + x[:-1]) / 2)
    first = np.stack([np.sin(k * np.pi * x) for k in (1, 2, 3, 4)], axis=1)
    measured = gg.jit(final)(truth, first, steps)
    measured += options.noise * np.random.default_rng(0).normal(size=first.shape)
    args = first, measured, steps, options.penalty
    started = time.perf_counter()
    found = minimize(misfit, np.ones(n), args=args, jac=True, method="L-BFGS-B", bounds=[(LOW, HIGH)] * n,
                     options={"maxiter": 1000, "ftol": 1e-12, "gtol": 1e-10})  # fmt: skip
    elapsed, started = time.perf_counter() - started, time.perf_counter()
    misfit(found.x, *args)
    each = time.perf_counter() - started

    error = np.abs(found.x - truth)
    print(f"diffusivity       {n} values between {truth.min():.3f} and {truth.max():.3f}")
    print(f"recovered         to {np.sqrt(np.mean(error**2)):.3f} on average, {error.max():.3f} at worst")
    print(f"misfit, penalty   {found.fun:.3g}; errors of measurement alone would leave {options.noise**2 / 2:.3g}")
    print(f"evaluations       {found.nfev}, {elapsed:.2f} s with compiling or loading")
    print(f"value, gradient   {each * 1e3:.1f} ms, {steps} steps of {n} cells in {first.shape[1]} experiments")
    print(f"generated module  {misfit.kernel(found.x, *args).path}")
    plot(options.plot, x, truth, found.x, first, measured)
    return found.x, truth


if __name__ == "__main__":
    main()
