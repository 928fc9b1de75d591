"""Updates written over the arrays they read: results must be those of new arrays."""

import sys

import numpy as np
import pytest

from gradgen import optim
from gradgen.train import fit
from tests.train.problem import by_hand, data, loss, start

pytestmark = pytest.mark.numba


def reversed_reads(params, x, y):
    """Each entry's gradient is the entry at the other end, so an update in place would read what it wrote."""
    return np.mean(y) * 0.5 * np.sum(params["w"] * params["w"][::-1])


def crossed(params, x, y):
    """Each array's gradient is the other array."""
    return np.mean(y) * np.sum(params["v"] * params["w"])


def crossed_backwards(params, x, y):
    return np.mean(y) * np.sum(params["v"] * params["w"][::-1])


def product_of_itself(params, x, y):
    return np.mean(y) * np.sum(params["m"] @ params["m"])


ARRAYS = {"v": np.array([1.0, 2.0, 3.0]), "w": np.array([0.5, -1.0, 4.0]), "m": np.arange(9.0).reshape(3, 3) / 9}
PASSES = [(reversed_reads, "w"), (crossed, "vw"), (crossed_backwards, "vw"), (product_of_itself, "m")]


@pytest.mark.parametrize(("loss", "names"), PASSES, ids=lambda value: getattr(value, "__name__", value))
@pytest.mark.parametrize("optimizer", [optim.sgd(0.1), optim.momentum(0.1)], ids=repr)
def test_updates_that_read_one_another_see_the_old_values(loss, names, optimizer):
    params, rows = {name: ARRAYS[name] for name in names}, data(12)
    found = fit(loss, params, rows, optimizer, epochs=2, batch_size=4).params
    expected, _ = by_hand(loss, params, rows, optimizer, 2, 4)
    for name in names:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-10)


def test_the_loop_is_a_module_that_reads_well_and_imports_the_step():
    result = fit(loss, start(), data(), optim.sgd(0.1), epochs=1, batch_size=14)
    texts = [m.__loader__.get_data(m.__file__).decode() for n, m in sys.modules.items() if "loss_step_pass" in n]
    (text,) = [t for t in texts if f"import {result.kernel.name}_into as step" in t]
    assert "for k in range(first, last):" in text
    assert "params_b_now, state_step_now, loss = step(" in text
    assert max(map(len, text.splitlines())) <= 120
