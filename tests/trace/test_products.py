"""Products of traced values: every pair of ranks, dtypes that BLAS does not have, sizes of zero."""

import numpy as np
import pytest

from gradgen.errors import ShapeError
from gradgen.testing import interpret

FLOATS = [((2, 3), (3, 4)), ((2, 3), (3,)), ((3,), (3, 4)), ((3,), (3,)), ((5, 2, 3), (3, 4)),
          ((5, 1, 2, 3), (4, 3, 2)),
          ((5, 2, 3), (3,)), ((3,), (5, 3, 2)), ((2, 0), (0, 3)), ((0, 3), (3, 2)), ((2, 3), (3, 0)), ((0,), (0,)),
          ((2, 0), (0,)), ((1, 1), (1, 1)), ((1, 5), (5, 1)), ((0, 2, 3), (0, 3, 2))]  # fmt: skip


def assert_alike(f, *args):
    found, wanted = interpret(f)(*args), f(*args)
    assert np.asarray(found).dtype == np.asarray(wanted).dtype
    assert np.shape(found) == np.shape(wanted)
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize(("left", "right"), FLOATS, ids=str)
def test_matmul_broadcasts_as_in_numpy(left, right):
    rng = np.random.default_rng(0)
    assert_alike(lambda a, b: a @ b, rng.normal(size=left), rng.normal(size=right))


@pytest.mark.parametrize(
    ("left", "right"),
    [(np.int64,) * 2, (np.int8,) * 2, (bool, bool), (np.int64, float), (np.float32, float), (np.uint8, np.int8)],
)  # fmt: skip
@pytest.mark.parametrize("right_shape", [(3, 2), (3,)])
def test_products_keep_numpys_dtype(left, right, right_shape):
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 90, s).astype(d) for s, d in (((2, 3), left), (right_shape, right)))
    assert_alike(lambda a, b: a @ b, a, b)


def test_dot_inner_and_outer_follow_their_own_rules():
    rng = np.random.default_rng(0)
    x = rng.normal
    assert_alike(np.dot, x(size=(2, 3, 4)), x(size=(5, 4, 2)))
    assert_alike(np.dot, 2.0, x(size=3))
    assert_alike(np.inner, x(size=(2, 2, 3)), x(size=(4, 5, 3)))
    assert_alike(np.outer, x(size=(2, 3)), x(size=4))


MISFITS = [((2, 3), (4, 2)), ((3,), (4,)), ((2, 3), ()), ((2, 2, 3), (3, 3, 2))]


@pytest.mark.parametrize(("left", "right"), MISFITS, ids=str)
def test_sizes_that_do_not_fit_are_named(left, right):
    with pytest.raises(ShapeError, match="matmul"):
        interpret(lambda a, b: np.matmul(a, b))(np.ones(left), np.ones(right))
