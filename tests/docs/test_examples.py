import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ellipk

pytestmark = pytest.mark.numba

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "examples"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))


def example(name):
    spec = importlib.util.spec_from_file_location(f"example_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def unplotted(monkeypatch):
    """Without matplotlib: slow to import, not always there, and full of warnings of its own."""
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)


def test_lotka_volterra_finds_the_rates_that_others_found(unplotted, capsys):
    p, misfit = example("lotka_volterra").main(["--steps", "8"])
    # posterior means of B. Carpenter's Stan case study (2018): same data, model and error; its priors are weak
    np.testing.assert_allclose(p[:4], [0.55, 0.028, 0.80, 0.024], rtol=0.05)
    assert misfit < 0.05
    assert "generated module" in capsys.readouterr().out


def test_lotka_volterra_is_at_a_minimum(unplotted):
    module = example("lotka_volterra")
    p, misfit = module.main(["--steps", "8"])
    for k in range(6):
        for factor in (0.99, 1.01):
            other = np.where(np.arange(6) == k, factor, 1.0) * p
            assert module.misfit(np.log(other), module.HARE, module.LYNX, 8)[0] > misfit


def test_heat_recovers_the_diffusivity(unplotted):
    found, truth = example("heat").main(["--cells", "32", "--steps", "250"])
    assert np.ptp(truth) > 1
    np.testing.assert_allclose(found, truth, atol=0.08)


def test_heat_recovers_more_from_better_measurements(unplotted):
    found, truth = example("heat").main(["--cells", "32", "--steps", "250", "--noise", "1e-6", "--penalty", "1e-10"])
    np.testing.assert_allclose(found, truth, atol=2e-3)


def test_heat_refuses_unstable_steps(unplotted, capsys):
    with pytest.raises(SystemExit):
        example("heat").main(["--cells", "64", "--steps", "500"])
    assert "--steps 820" in capsys.readouterr().err


def test_pendulum_agrees_with_the_elliptic_integral(unplotted):
    module = example("pendulum")
    (seconds, slope), _ = module.main(["--step", "0.01"])
    exact, exact_slope = module.formula(1.0, 1.0)
    assert abs(seconds - exact) < 1e-6
    assert abs(slope - exact_slope) < 1e-6


def test_pendulum_finds_the_angle_for_a_period(unplotted):
    module = example("pendulum")
    _, angle = module.main(["--step", "0.01", "--target", "3.0"])
    assert abs(4 / np.sqrt(module.GRAVITY) * ellipk(np.sin(angle / 2) ** 2) - 3.0) < 1e-6


def test_pendulum_slopes_are_those_of_differences_with_damping():
    module = example("pendulum")
    args, h = np.array([1.2, 0.7, 0.4]), 1e-5
    _, slopes = module.period_and_slopes(*args, 0.01)
    for k, slope in enumerate(slopes):
        step = h * np.eye(3)[k]
        above, below = (module.period(*(float(v) for v in p), 0.01) for p in (args + step, args - step))
        assert abs((above - below) / (2 * h) - slope) < 1e-6


def test_lstm_learns_its_text(unplotted, capsys):
    losses, sample = example("lstm").main(["--hidden", "16", "--updates", "400", "--length", "16", "--batch", "4"])
    assert losses[0] > 3 and np.mean(losses[-5:]) < 0.6 * losses[0]
    assert len(sample) == 200 and sample in capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_example_says_how_it_is_started(name):
    module = example(name)
    assert f"    python docs/examples/{name}.py " in module.__doc__
    with pytest.raises(SystemExit, match="0"):
        module.main(["--help"])


def test_pictures_are_drawn_where_matplotlib_is_installed(tmp_path):
    pytest.importorskip("matplotlib")
    file = tmp_path / "pendulum.png"
    done = subprocess.run(
        [sys.executable, FOLDER / "pendulum.py", "--step", "0.01", "--plot", file],
        env={**os.environ, "PYTHONPATH": str(FOLDER.parents[1])}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert file.stat().st_size > 1000 and str(file) in done.stdout
