"""The text of a module: what a reader, a linter and Numba expect of it."""

import ast

import numpy as np
import pytest

import gradgen as gg

X = np.ones((4, 3))


def loss(w, x):
    h = np.tanh(x @ w)
    return np.sum(h * h)


@pytest.fixture(scope="module")
def text():
    return gg.grad(loss).source(np.ones((3, 2)), X)


def test_it_parses_and_states_types_and_origin(text):
    docstring = ast.get_docstring(ast.parse(text))
    assert "loss_grad" in docstring and "test_module.py" in docstring
    assert "f64[3,2], f64[4,3]" in docstring


def test_forward_and_backward_are_functions_of_their_own(text):
    names = [n.name.rsplit("_", 1)[0] for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)]
    assert {"loss_grad_forward", "loss_grad_backward"} <= {n.removesuffix("_into") for n in names} | set(names)


def test_names_come_from_the_users_code(text):
    assert "h = tanh64(" in text and "g_w" in text


def test_lines_of_the_user_are_comments(text):
    assert "h = np.tanh(x @ w)" in text


def test_only_needed_modules_are_imported():
    text = gg.jit(lambda x: x * 2).source(X)
    assert "import math" not in text and "vecmath" not in text


def test_float32_code_has_no_bare_float_literals():
    text = gg.grad(loss).source(np.ones((3, 2), np.float32), X.astype(np.float32))
    for line in text.split("\n"):
        if "def " not in line and "#" not in line and "work" not in line:
            assert " 2.0" not in line or "f32(2.0)" in line


def test_outside_of_loops_exp_is_the_c_librarys():
    assert "math.exp(" in gg.jit(lambda x: np.exp(x)).source(0.5)
    assert "exp64(" in gg.jit(lambda x: np.exp(x)).source(X)


def test_parallel_code_spreads_independent_loops_only():
    elementwise, total = (gg.jit(f, parallel=True).source(X) for f in (np.sin, np.sum))
    assert "in prange(" in elementwise
    assert "in prange(" not in total


def test_strict_order_has_no_fast_math_flags():
    assert '"fastmath": False' in gg.jit(lambda x: np.sum(x), fastmath=False).source(X)
