"""Reads at integer arrays: repeated, negative, scalar indices; cotangents accumulate where they were read."""

import numpy as np
import pytest

from tests.ops.registry import (
    assert_close,
    assert_gradient_is_the_tapes,
    assert_second_order,
    assert_slopes_are_differences,
    family,
)

pytestmark = pytest.mark.numba
RNG = np.random.default_rng(2)
NAMED = {
    "v": RNG.normal(size=5), "m": RNG.normal(size=(4, 3)), "x": RNG.normal(size=(2, 4, 3)),
    "few": np.array([0, 2]), "repeated": np.array([1, 1, 3, 1]), "negative": np.array([-1, 0, -4, 2]),
    "table": np.array([[0, 1, 1], [3, 3, -1]]), "one": np.array(2), "i32": np.array([3, 0, 3], np.int32),
    "columns": np.array([2, 0, 2, 1]), "none": np.array([], np.int64),
}  # fmt: skip
CASES = [
    *(
        (f"vector at {i}", lambda v, i: v[i], "v", i)
        for i in ("few", "repeated", "negative", "table", "one", "i32", "none")
    ),
    *((f"rows at {i}", lambda m, i: m[i], "m", i) for i in ("few", "repeated", "negative", "table", "one", "i32")),
    *(
        (f"take along axis 1 at {i}", lambda x, i: np.take(x, i, axis=1), "x", i)
        for i in ("repeated", "negative", "table")
    ),
    *(
        (f"take along the last axis at {i}", lambda m, i: np.take(m, i, axis=-1), "m", i)
        for i in ("few", "one", "columns")
    ),
    ("take of the flat array", lambda m, i: np.take(m, i), "m", "repeated"),
    ("one column per row", lambda m, i: m[np.arange(4), i], "m", "columns"),
    ("pairs", lambda m, i, j: m[i, j], "m", "negative", "columns"),
    ("index beside a slice", lambda x, i: x[:, i, 1:], "x", "repeated"),
    ("index beside an int", lambda x, i: x[1, i], "x", "negative"),
    ("index of a list", lambda v: v[[4, 0, 0, -2]], "v"),
    ("index of a constant array", lambda m: m[np.array([[1, 1], [0, -1]])], "m"),
    ("constant mask", lambda v: v[np.array([True, False, True, True, False])], "v"),
    ("read of a read", lambda v, i, j: v[i][j], "v", "repeated", "few"),
    ("read of a product", lambda v, i: (v * v)[i] * v[i], "v", "repeated"),
]
READS = family(CASES, NAMED)
EACH = pytest.mark.parametrize("case", READS.cases, ids=str)


@EACH
def test_a_read_has_numpys_elements(case):
    assert_close([READS.values[case.name]], [np.asarray(READS.reference(case))], 1e-15)


@EACH
def test_gradients_are_those_of_the_tape(case):
    assert_gradient_is_the_tapes(READS, case)


@EACH
def test_gradients_and_tangents_are_central_differences(case):
    assert_slopes_are_differences(READS, case)


@EACH
def test_second_derivatives_are_differences_of_gradients_and_the_tapes(case):
    assert_second_order(READS, case)
