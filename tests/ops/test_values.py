"""What an op computes, three ways: its record's `eval` in NumPy, its graph evaluated, its emitted code."""

import numpy as np
import pytest

from gradgen.testing import interpret
from tests.ops import tables  # noqa: F401  fills the groups
from tests.ops.cases import cases, compiled_values

TOLERANCE = {"float64": 1e-12, "float32": 3e-6}


def expected(case):
    with np.errstate(all="ignore"):
        return case.function(*case.args())


def assert_same(found, wanted):
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    tolerance = TOLERANCE.get(wanted.dtype.name, 0)
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("case", cases(), ids=str)
def test_the_graph_gives_what_numpy_gives(case):
    assert_same(interpret(case.function)(*case.args()), expected(case))


@pytest.mark.numba
@pytest.mark.parametrize("case", cases(), ids=str)
def test_the_emitted_code_gives_what_numpy_gives(case):
    assert_same(compiled_values(case.group)[case.name], expected(case))
