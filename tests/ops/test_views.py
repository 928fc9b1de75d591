"""Views and joins: the same elements elsewhere, and their cotangents back where they came from."""

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
RNG = np.random.default_rng(1)
NAMED = {
    "x": RNG.normal(size=(2, 3, 4)), "m": RNG.normal(size=(3, 4)), "k": RNG.normal(size=(2, 4)),
    "v": RNG.normal(size=4), "u": RNG.normal(size=(3, 1)), "s": np.array(0.3), "w": RNG.normal(size=7),
}  # fmt: skip
CASES = [
    ("reshape to a vector", lambda x: np.reshape(x, 24), "x"),
    ("reshape with -1", lambda x: np.reshape(x, (4, -1)), "x"),
    ("reshape by unit axes", lambda m: m.reshape(1, 3, 1, 4), "m"),
    ("ravel", np.ravel, "x"),
    ("transpose", np.transpose, "x"),
    ("transpose by axes", lambda x: np.transpose(x, (1, 2, 0)), "x"),
    ("T", lambda m: m.T, "m"),
    ("swapaxes", lambda x: np.swapaxes(x, 0, -1), "x"),
    ("moveaxis", lambda x: np.moveaxis(x, 0, -1), "x"),
    ("reshape of a transpose", lambda m: m.T.reshape(2, 6), "m"),
    ("slice", lambda m: m[1:, :2], "m"),
    ("slice by steps", lambda w: w[1::3], "w"),
    ("slice backwards", lambda w: w[::-1], "w"),
    ("slice backwards by steps", lambda w: w[5:0:-2], "w"),
    ("slice backwards on two axes", lambda m: m[::-2, ::-1], "m"),
    ("slice from the end", lambda w: w[-3:], "w"),
    ("slice up to the end", lambda w: w[:-2], "w"),
    ("slice of nothing", lambda w: w[4:2], "w"),
    ("slice beyond the end", lambda w: w[3:100], "w"),
    ("index", lambda x: x[1], "x"),
    ("index from the end", lambda x: x[:, -1], "x"),
    ("index to a scalar", lambda m: m[2, -4], "m"),
    ("ellipsis", lambda x: x[..., 1], "x"),
    ("new axis", lambda v: v[:, None], "v"),
    ("index with new axis and slice", lambda x: x[0, None, 1:, ::2], "x"),
    ("slice of a slice", lambda w: w[1:][::-1][::2], "w"),
    ("broadcast_to of a row", lambda v: np.broadcast_to(v, (3, 4)), "v"),
    ("broadcast_to of a column", lambda u: np.broadcast_to(u, (2, 3, 4)), "u"),
    ("broadcast_to of a number", lambda s: np.broadcast_to(s, (2, 3)), "s"),
    ("expand_dims", lambda m: np.expand_dims(m, 1), "m"),
    ("expand_dims by two", lambda m: np.expand_dims(m, (0, -1)), "m"),
    ("squeeze", np.squeeze, "u"),
    ("squeeze of an axis", lambda u: np.squeeze(u, axis=-1), "u"),
    ("concatenate of rows", lambda m, k: np.concatenate([m, k]), "m", "k"),
    ("concatenate of columns", lambda m, u: np.concatenate([m, u, u], axis=1), "m", "u"),
    ("concatenate with itself", lambda v: np.concatenate([v, v[::-1], v]), "v"),
    ("concatenate from the last axis", lambda m, u: np.concatenate((u, m), axis=-1), "m", "u"),
    ("stack", lambda v, m: np.stack([v, m[0], v]), "v", "m"),
    ("stack of columns", lambda v, m: np.stack([v, m[1]], axis=1), "v", "m"),
    ("stack of numbers", lambda s, v: np.stack([s, v[0], s * s]), "s", "v"),
    ("flip", np.flip, "m"),
    ("flip of an axis", lambda m: np.flip(m, axis=1), "m"),
    ("overlapping slices", lambda w: w[1:] * w[:-1], "w"),
    ("broadcast by arithmetic", lambda u, v: u * v, "u", "v"),
]
VIEWS = family(CASES, NAMED)
EACH = pytest.mark.parametrize("case", VIEWS.cases, ids=str)


@EACH
def test_a_view_has_numpys_elements(case):
    assert_close([VIEWS.values[case.name]], [np.asarray(VIEWS.reference(case))], 1e-15)


@EACH
def test_gradients_are_those_of_the_tape(case):
    assert_gradient_is_the_tapes(VIEWS, case)


@EACH
def test_gradients_and_tangents_are_central_differences(case):
    assert_slopes_are_differences(VIEWS, case)


@EACH
def test_second_derivatives_are_differences_of_gradients_and_the_tapes(case):
    assert_second_order(VIEWS, case)
