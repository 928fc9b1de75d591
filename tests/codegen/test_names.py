"""Names of generated code: the user's, but never one that the code itself calls."""

import re

import numpy as np
import pytest

import gradgen as gg
from gradgen.codegen.names import PIECES, VECTORISABLE
from gradgen.runtime import arrays, blas, vecmath
from tests import plain_python

X = np.linspace(0.1, 0.9, 9).reshape(3, 3)


def everything(x):
    """Calls what generated code may call."""
    h = np.tanh(x @ x) + np.exp(x) * np.log(x) + np.log1p(x) - np.expm1(x) + x**1.5
    return gg.fori_loop(0, 2, lambda i, w: w - 0.1 * (gg.nn.sigmoid(h) @ w), x)


def called(text):
    return set(re.findall(r"\b(\w+)\(", text))


def test_reserved_names_are_those_of_the_runtime():
    assert all(hasattr(arrays, name) or hasattr(blas, name) for name in PIECES)
    assert set(vecmath.__all__) == {n for n in VECTORISABLE if hasattr(vecmath, n)}
    assert set(gg.jit(everything).kernel(X)._needs) <= {*PIECES, *VECTORISABLE}


@pytest.mark.parametrize("name", sorted({*PIECES, *vecmath.__all__, "np", "math", "work", "njit", "OPTIONS", "f64"}))
def test_a_parameter_may_have_any_name(name):
    space = {"everything": everything, "np": np}
    exec(f"def f({name}):\n    return everything({name})", space)
    kernel = gg.jit(space["f"]).kernel(X)
    (found,) = plain_python.run(kernel, [X])
    np.testing.assert_allclose(found, everything(X), rtol=1e-13)


def test_the_names_that_are_tested_are_called():
    assert {"carve", "opaque", "add_matmul", "tanh64", "exp64"} <= called(gg.jit(everything).source(X))
