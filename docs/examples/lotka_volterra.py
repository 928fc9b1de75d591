"""Hares and lynxes: the parameters of an ODE from 21 years of fur records.

    python docs/examples/lotka_volterra.py [--steps 50] [--plot lotka_volterra.png]

The model of Lotka and Volterra has hares that multiply and are eaten, and lynxes that starve and eat:

    hare' = (alpha - beta lynx) hare        lynx' = (delta hare - gamma) lynx

Runge-Kutta's fourth-order method solves it: a loop of small steps, as many as the caller says, within a scan over the
years. The misfit is the mean square difference of logarithms, as errors of such counts are relative. gg.value_and_grad
gives its gradient for the four rates and the two first populations, and SciPy's BFGS does the rest.
"""

import argparse
import time

import numpy as np
from scipy.optimize import minimize

import gradgen as gg

# Pelts that trappers brought to the Hudson's Bay Company, in thousands, 1900 to 1920. P. Howard, Modeling Basics
# (lecture notes, Texas A&M, 2009), after E. P. Odum, Fundamentals of Ecology (1953); as in B. Carpenter, Predator-Prey
# Population Dynamics: the Lotka-Volterra model in Stan (2018), whose rates are 0.55, 0.028, 0.80 and 0.024.
YEARS = np.arange(1900, 1921)
HARE = np.array([30.0, 47.2, 70.2, 77.4, 36.3, 20.6, 18.1, 21.4, 22.0, 25.4, 27.1,
                 40.3, 57.0, 76.6, 52.3, 19.5, 11.2, 7.6, 14.6, 16.2, 24.7])  # fmt: skip
LYNX = np.array([4.0, 6.1, 9.8, 35.2, 59.4, 41.7, 19.0, 13.0, 8.3, 9.1, 7.4,
                 8.0, 12.3, 19.5, 45.7, 51.1, 29.7, 15.8, 9.7, 10.1, 8.6])  # fmt: skip
NAMES = ("alpha", "beta", "gamma", "delta", "hare in 1900", "lynx in 1900")


def guess():
    """Rates by regression: (log hare)' = alpha - beta lynx, (log lynx)' = delta hare - gamma, slopes by differences."""
    delta, minus_gamma = np.polyfit(HARE, np.gradient(np.log(LYNX)), 1)
    minus_beta, alpha = np.polyfit(LYNX, np.gradient(np.log(HARE)), 1)
    return np.array([alpha, -minus_beta, -minus_gamma, delta, HARE[0], LYNX[0]])


def rk4(rate, state, h):
    """One step of the classical Runge-Kutta method for state' = rate(*state)."""
    k1 = rate(*state)
    k2 = rate(*(s + h / 2 * k for s, k in zip(state, k1, strict=True)))
    k3 = rate(*(s + h / 2 * k for s, k in zip(state, k2, strict=True)))
    k4 = rate(*(s + h * k for s, k in zip(state, k3, strict=True)))
    return tuple(s + h / 6 * (a + 2 * b + 2 * c + d) for s, a, b, c, d in zip(state, k1, k2, k3, k4, strict=True))


def populations(p, times, steps, h):
    """Hares and lynxes at `times` equidistant times after the first, each `steps` of h years on; p: as in NAMES."""
    alpha, beta, gamma, delta = p[0], p[1], p[2], p[3]

    def rate(hare, lynx):
        return (alpha - beta * lynx) * hare, (delta * hare - gamma) * lynx

    def until_next(state, _):
        state = gg.fori_loop(0, steps, lambda _, now: rk4(rate, now, h), state)
        return state, state

    return gg.scan(until_next, (p[4], p[5]), length=times)[1]


@gg.value_and_grad
def misfit(log_p, hare, lynx, steps):
    """The mean square difference of logarithms. Logarithms of the parameters keep them positive."""
    p = np.exp(log_p)
    hares, lynxes = populations(p, hare.shape[0] - 1, steps, 1 / steps)
    first = (log_p[4] - np.log(hare[0])) ** 2 + (log_p[5] - np.log(lynx[0])) ** 2
    later = np.sum((np.log(hares) - np.log(hare[1:])) ** 2 + (np.log(lynxes) - np.log(lynx[1:])) ** 2)
    return (first + later) / (2 * hare.shape[0])


def plot(file, p, steps):
    """The data as dots, the fitted model as lines, where matplotlib is installed."""
    try:
        import matplotlib.pyplot as plt
    except ModuleNotFoundError:
        return
    curves = gg.jit(populations, static="times")(p, 12 * (len(YEARS) - 1), steps, 1 / 12 / steps)
    months = np.linspace(YEARS[0], YEARS[-1], 12 * (len(YEARS) - 1) + 1)
    figure, axes = plt.subplots(figsize=(8, 4))
    for name, data, first, later in zip(("hare", "lynx"), (HARE, LYNX), p[4:], curves, strict=True):
        (line,) = axes.plot(months, [first, *later], label=f"{name}, fitted")
        axes.plot(YEARS, data, "o", color=line.get_color(), label=f"{name}, pelts")
    axes.set(xlabel="year", ylabel="thousands", xticks=YEARS[::5])
    axes.legend()
    figure.savefig(file)
    print(f"picture           {file}")


def main(argv=None):
    """Returns (fitted parameters in the order of NAMES, misfit)."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=50, help="steps of Runge-Kutta in a year")
    parser.add_argument("--plot", default="lotka_volterra.png", help="file of the picture")
    options = parser.parse_args(argv)

    started = time.perf_counter()
    found = minimize(misfit, np.log(guess()), args=(HARE, LYNX, options.steps), jac=True, method="BFGS")
    elapsed, p = time.perf_counter() - started, np.exp(found.x)
    calls, started = 200, time.perf_counter()
    for _ in range(calls):
        misfit(found.x, HARE, LYNX, options.steps)
    each = (time.perf_counter() - started) / calls

    for name, value in zip(NAMES, p, strict=True):
        print(f"{name:17} {value:.4f}")
    print(f"misfit            {found.fun:.5f}, so an error of {np.sqrt(found.fun):.0%}")
    print(f"evaluations       {found.nfev}, {elapsed:.2f} s with compiling or loading")
    print(f"value, gradient   {each * 1e6:.0f} microseconds, {options.steps * (len(YEARS) - 1)} steps there and back")
    print(f"generated module  {misfit.kernel(found.x, HARE, LYNX, options.steps).path}")
    plot(options.plot, p, options.steps)
    return p, found.fun


if __name__ == "__main__":
    main()
