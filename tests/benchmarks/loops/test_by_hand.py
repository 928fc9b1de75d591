"""The adjoints by hand, which all contenders are compared with, against finite differences."""

import importlib

import numpy as np
import pytest

from benchmarks.loops import heat, lstm, memory, nbody, pendulum, rk4

pytestmark = pytest.mark.numba


def rk4_args():
    p = rk4.Problem(steps=20)
    return "rk4_by_hand", (np.array(p.params), np.array(p.start)), (p.dt, p.steps)


def memory_args():
    p = memory.Problem(steps=5)
    return "memory_by_hand", tuple(np.array(group)[:, :3] for group in p.args), (p.dt, p.steps)


def heat_args():
    p = heat.Problem(steps=7, cells=9)
    return "heat_by_hand", (p.k,), (p.start, p.observed, p.steps)


def nbody_args():
    p = nbody.Problem(steps=3, bodies=4, dt=0.1)
    return "nbody_by_hand", p.args[:3], (p.args[3], p.dt, p.steps)


def lstm_args():
    p = lstm.Problem(steps=5, inputs=3, hidden=4)
    return "lstm_by_hand", p.params, p.data


def pendulum_args():
    p = pendulum.Problem(dt=0.01)
    return "pendulum_by_hand", tuple(map(np.float64, p.args)), (p.observed, p.dt)


def flat(gradient, count) -> list[np.ndarray]:
    parts = gradient if isinstance(gradient, tuple) else (gradient,)
    assert len(parts) == count
    return [np.asarray(part, np.float64) for part in parts]


@pytest.mark.filterwarnings("ignore:.*np.dot.*:Warning")
@pytest.mark.parametrize("of", [rk4_args, memory_args, heat_args, nbody_args, lstm_args, pendulum_args])
def test_an_adjoint_by_hand_agrees_with_finite_differences_of_its_loop(of):
    name, inputs, rest = of()
    module = importlib.import_module(f"benchmarks.loops.{name}")
    rng = np.random.default_rng(0)
    along = [rng.standard_normal(np.shape(a)) for a in inputs]

    def value(t):
        return module.primal(*(a + t * v for a, v in zip(inputs, along, strict=True)), *rest)

    here, gradient = module.adjoint(*inputs, *rest)
    assert here == pytest.approx(value(0), rel=1e-12)
    expected = (8 * (value(1e-4) - value(-1e-4)) - (value(2e-4) - value(-2e-4))) / 12e-4
    slope = sum((g * v).sum() for g, v in zip(flat(gradient, len(inputs)), along, strict=True))
    assert slope == pytest.approx(expected, rel=1e-7)
