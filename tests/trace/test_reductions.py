"""Reductions of traced values: axes, keepdims, dtypes, empty groups and nan as NumPy has them."""

import numpy as np
import pytest

from gradgen.errors import ShapeError
from gradgen.testing import interpret

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
X = np.random.default_rng(0).normal(size=(2, 3, 4))
AXES = [None, 0, -1, (0, 2), (-1, 0), (1,), ()]
REDUCTIONS = ("sum", "mean", "max", "min", "prod", "var", "std", "any", "all")
ARRAYS = {
    "int8": np.full((2, 3), 100, np.int8), "int64": np.arange(6).reshape(2, 3), "bool": np.arange(6).reshape(2, 3) > 3,
    "uint8": np.full((2, 3), 200, np.uint8), "uint64": np.full((2, 3), 2**63, np.uint64),
    "float32": X[0, :2, :3].astype(np.float32), "no rows": np.zeros((0, 3)), "no columns": np.zeros((2, 0)),
    "nan": np.array([[np.nan, 1.0], [2.0, 3.0]]), "infinite": np.array([[np.inf, 1.0], [-np.inf, np.inf]]),
}  # fmt: skip


def assert_alike(f, x):
    try:
        wanted = f(x)
    except ValueError:
        with pytest.raises(ValueError):
            interpret(f)(x)
        return
    found = interpret(f)(x)
    assert np.asarray(found).dtype == np.asarray(wanted).dtype
    assert np.shape(found) == np.shape(wanted)
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_axes_are_read_as_numpy_reads_them(name, axis):
    for kept in (False, True):
        if name in ("max", "min") and axis == ():
            continue
        assert_alike(lambda x, kept=kept: getattr(np, name)(x, axis=axis, keepdims=kept), X)
        assert_alike(lambda x, kept=kept: getattr(x, name)(axis=axis, keepdims=kept), X)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize("axis", [None, 0, -1], ids=str)
def test_positions_of_winners_are_numpys(name, axis):
    for x in (X, ARRAYS["nan"], ARRAYS["infinite"], ARRAYS["int8"], ARRAYS["bool"], ARRAYS["no rows"]):
        for kept in (False, True):
            assert_alike(lambda x, kept=kept: getattr(np, name)(x, axis=axis, keepdims=kept), x)


@pytest.mark.parametrize("make", ARRAYS)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_dtypes_and_empty_groups_are_numpys(name, make):
    for axis in (None, 0, 1):
        assert_alike(lambda x, axis=axis: getattr(np, name)(x, axis=axis), ARRAYS[make])


def test_dtypes_can_be_asked_for():
    assert_alike(lambda x: np.sum(x, dtype=np.float32), X)
    assert_alike(lambda x: np.mean(x, dtype=np.float64), X.astype(np.float32))
    assert_alike(lambda x: np.var(x, ddof=1), np.arange(6))
    assert_alike(lambda x: np.var(x, ddof=1), np.zeros(0))
    assert_alike(lambda x: np.add.reduce(x), X)
    assert_alike(lambda x: np.maximum.reduce(x, axis=1), X)


@pytest.mark.parametrize("axis", [(0, 0), (1, -2), 3, -4])
def test_axes_that_are_not_there_or_there_twice_are_refused(axis):
    with pytest.raises(ValueError):
        np.sum(X, axis=axis)
    with pytest.raises(ShapeError, match="sum: axis"):
        interpret(lambda x: np.sum(x, axis=axis))(X)
