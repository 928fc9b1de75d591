"""What a rod is made of: a diffusivity field from the temperatures it leads to.

    python docs/examples/heat.py [--cells 64] [--steps 2000] [--plot heat.png]

A rod of length 1 is held at 0 at both ends. Its diffusivity D varies along it and is unknown. Four experiments start
from four known temperatures, and the final one is measured. Explicit finite volumes integrate

    u_t = (D u_x)_x     u[k] += dt/dx^2 (D[k+1/2] (u[k+1] - u[k]) - D[k-1/2] (u[k] - u[k-1]))

in a gg.fori_loop, where `u.at[1:-1].add(...)` writes into the array in place. The gradient of the misfit for every cell
of D costs about as much as two or three solutions. L-BFGS-B keeps D between bounds; a small penalty on jumps of D
chooses among the fields that the measurements cannot tell apart.
"""

import argparse
import time

import numpy as np
from scipy.optimize import minimize

import gradgen as gg

LOW, HIGH = 0.2, 2.0  # bounds on D, and D * time * pi^2 is the decay of the slowest mode
DURATION = 0.05


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


@gg.value_and_grad(static="steps")
def misfit(d, first, measured, steps, penalty):
    """Half the mean square error of the final temperatures, and the penalty on jumps of d."""
    error = final(d, first, steps) - measured
    return np.mean(error**2) / 2 + penalty * np.sum((d[1:] - d[:-1]) ** 2)


def plot(file, x, truth, found, first, measured):
    try:
        import matplotlib.pyplot as plt
    except ModuleNotFoundError:
        return
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    left.plot((x[1:] + x[:-1]) / 2, truth, "k", label="true")
    left.plot((x[1:] + x[:-1]) / 2, found, "o", markersize=3, label="recovered")
    left.set(xlabel="x", ylabel="diffusivity")
    left.legend()
    for k in range(first.shape[1]):
        (line,) = right.plot(x, first[:, k], "--", linewidth=0.8)
        right.plot(x, measured[:, k], color=line.get_color())
    right.set(xlabel="x", ylabel="temperature at the start (dashed) and measured")
    figure.savefig(file)
    print(f"picture           {file}")


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=64)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--noise", type=float, default=1e-5)
    parser.add_argument("--penalty", type=float, default=1e-8)
    parser.add_argument("--plot", default="heat.png", help="file of the picture")
    options = parser.parse_args(argv)

    n, steps = options.cells, options.steps
    x = np.linspace(0, 1, n + 1)
    truth = true_diffusivity((x[1:] + x[:-1]) / 2)
    first = np.stack([np.sin(k * np.pi * x) for k in (1, 2, 3, 4)], axis=1)
    noise = options.noise * np.random.default_rng(0).normal(size=first.shape)
    measured = gg.jit(final, static="steps")(truth, first, steps) + noise
    args = first, measured, steps, options.penalty
    started = time.perf_counter()
    found = minimize(misfit, np.ones(n), args=args, jac=True, method="L-BFGS-B", bounds=[(LOW, HIGH)] * n,
                     options={"maxiter": 500, "ftol": 1e-15, "gtol": 1e-10})  # fmt: skip
    elapsed = time.perf_counter() - started
    error = np.abs(found.x - truth)
    print(found.message, found.nfev, elapsed, elapsed/found.nfev)
    print(np.max(error), np.sqrt(np.mean(error**2)), found.fun, np.linalg.norm(misfit(found.x,*args)[1]))
    plot(options.plot, x, truth, found.x, first, measured)
    return found


if __name__ == "__main__":
    main()
