"""A Python loop that was traced step by step is named, with its line; what is short is not."""

import inspect
import warnings

import numpy as np
import pytest

import gradgen as gg
from gradgen.errors import UnrollWarning
from gradgen.passes import unrolled


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(unrolled, "MANY", 60)


def rolled(x):
    for k in range(30):
        x = np.sin(x)
        if k % 2:
            x = x + np.cos(x) * 2
    return x


def by_while(x):
    k = 0
    while k < 30:
        x, k = np.sin(x) * np.cos(x), k + 1
    return x


def nested(x):
    for _ in range(2):
        x = np.exp(-x)
        for _ in range(20):
            x = np.sin(x) * np.cos(x)
    return x


def recursive(x, depth=40):
    return x if depth == 0 else recursive(np.sin(x) * np.cos(x), depth - 1)


def line_of(function, text):
    lines, first = inspect.getsourcelines(function)
    return first + next(k for k, line in enumerate(lines) if text in line)


@pytest.mark.parametrize(("function", "statement"), [
    (rolled, "for k in range(30):"), (by_while, "while k < 30:"), (nested, "for _ in range(20):"),
], ids=["for", "while", "nested"])  # fmt: skip
def test_the_innermost_loop_around_the_statements_is_named_with_its_line(function, statement):
    with pytest.warns(UnrollWarning) as caught:
        gg.jit(function).graph(0.5)
    text = str(caught[0].message)
    assert f"test_unrolled.py:{line_of(function, statement)}" in text
    assert statement in text
    assert "gg.fori_loop" in text
    assert function.__name__ in text


def test_without_a_loop_the_line_of_the_statements_is_named():
    with pytest.warns(UnrollWarning, match=f"test_unrolled.py:{line_of(recursive, 'return x if')}"):
        gg.jit(recursive).graph(0.5)


def test_a_gradient_warns_of_the_users_loop():
    with pytest.warns(UnrollWarning, match=f"test_unrolled.py:{line_of(rolled, 'for k')}"):
        gg.grad(rolled).graph(0.5)


def test_below_that_many_values_nothing_is_said(monkeypatch):
    monkeypatch.setattr(unrolled, "MANY", 3000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gg.grad(rolled).graph(0.5)


def test_a_loop_of_the_library_is_no_reason_whatever_its_length():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gg.grad(lambda x: gg.fori_loop(0, 10**6, lambda i, c: np.sin(c), x)).graph(0.5)


def test_code_without_a_file_is_named_by_its_number():
    space = {"np": np}
    exec(
        compile("def f(x):\n    for _ in range(80):\n        x = np.sin(x) * 2\n    return x\n", "<typed>", "exec"),
        space,
    )
    with pytest.warns(UnrollWarning, match="<typed>:3"):
        gg.jit(space["f"]).graph(0.5)
