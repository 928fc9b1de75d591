"""Products of vectors, matrices and stacks of matrices."""

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
RNG = np.random.default_rng(3)
NAMED = {
    "v": RNG.normal(size=3), "w": RNG.normal(size=3), "r": RNG.normal(size=4), "a": RNG.normal(size=(2, 3)),
    "b": RNG.normal(size=(3, 4)), "q": RNG.normal(size=(3, 3)), "s": RNG.normal(size=(5, 2, 3)),
    "t": RNG.normal(size=(5, 3, 4)), "one": RNG.normal(size=(1, 3, 2)), "x": np.array(0.7),
}  # fmt: skip
CASES = [
    ("matmul of vectors", np.matmul, "v", "w"),
    ("matmul of matrix and vector", np.matmul, "a", "v"),
    ("matmul of vector and matrix", np.matmul, "v", "b"),
    ("matmul of matrices", np.matmul, "a", "b"),
    ("matmul with itself", lambda q: q @ q, "q"),
    ("matmul with its transpose", lambda a: a @ a.T, "a"),
    ("matmul of transposes", lambda a, b: b.T @ a.T, "a", "b"),
    ("matmul of stacks", np.matmul, "s", "t"),
    ("matmul of stack and matrix", np.matmul, "s", "b"),
    ("matmul of matrix and stack", np.matmul, "a", "t"),
    ("matmul of stack and vector", np.matmul, "s", "v"),
    ("matmul of vector and stack", np.matmul, "v", "t"),
    ("matmul of a stack of one", np.matmul, "s", "one"),
    ("dot of vectors", np.dot, "v", "w"),
    ("dot with itself", lambda v: np.dot(v, v), "v"),
    ("dot of matrix and vector", np.dot, "a", "v"),
    ("dot of matrices", np.dot, "a", "b"),
    ("dot of number and matrix", np.dot, "x", "b"),
    ("dot of stack and vector", np.dot, "s", "v"),
    ("dot of stack and matrix", np.dot, "s", "b"),
    ("dot of matrix and stack", np.dot, "a", "t"),
    ("outer", np.outer, "v", "r"),
    ("outer of matrices", np.outer, "a", "v"),
    ("inner of vectors", np.inner, "v", "w"),
    ("inner of matrices", np.inner, "a", "q"),
    ("inner of matrix and vector", np.inner, "a", "v"),
    ("inner of stack and matrix", np.inner, "s", "q"),
    ("product of three", lambda a, b, r: a @ b @ r, "a", "b", "r"),
    ("layer", lambda a, b, r: np.tanh(a @ b + r), "a", "b", "r"),
]
PRODUCTS = family(CASES, NAMED)
# dot, inner and the rest are views around matmul: a few stand for all where compiling takes long
TWICE = ("matmul of vectors", "matmul of matrix and vector", "matmul of matrices", "matmul with itself",
         "matmul of stack and vector", "dot with itself", "outer", "layer")  # fmt: skip
SECOND = family([c for c in CASES if c[0] in TWICE], NAMED)
EACH = pytest.mark.parametrize("case", PRODUCTS.cases, ids=str)


@EACH
def test_a_product_is_numpys(case):
    assert_close([PRODUCTS.values[case.name]], [np.asarray(PRODUCTS.reference(case))], 1e-12, 1e-14)


@EACH
def test_gradients_are_those_of_the_tape(case):
    assert_gradient_is_the_tapes(PRODUCTS, case, alone=True)


@pytest.mark.parametrize("case", SECOND.cases, ids=str)
def test_gradients_and_tangents_are_central_differences(case):
    assert_slopes_are_differences(SECOND, case)


@pytest.mark.parametrize("case", SECOND.cases, ids=str)
def test_second_derivatives_are_differences_of_gradients_and_the_tapes(case):
    assert_second_order(SECOND, case)
