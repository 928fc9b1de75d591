"""Each rule of the algebra, seen in the graph that comes out."""

import numpy as np
import pytest

import gradgen as gg

X = np.ones((2, 3))


def ops_of(function, *args):
    """Names of the ops of the simplified graph, inputs and constants left out."""
    nodes = gg.jit(function).graph(*args).nodes
    return sorted(n.op.name for n in nodes if n.op.name not in ("input", "constant", "broadcast_to"))


@pytest.mark.parametrize(
    ("function", "ops"),
    [
        (lambda x: x + 0, []),
        (lambda x: x * 1.0 / 1, []),
        (lambda x: np.negative(-x), []),
        (lambda x: x * 2 * 3.0, ["multiply"]),
        (lambda x: x + x, ["multiply"]),
        (lambda x: np.exp(x) + -np.sin(x), ["exp", "sin", "subtract"]),
        (lambda x: x**2.0, ["square"]),
        (lambda x: x**0.5, ["sqrt"]),
        (lambda x: x**-1.0, ["reciprocal"]),
        (lambda x: np.where(x > 0, x, x), []),
        (lambda x: np.where(~(x > 0), 1.0, x), ["greater", "where"]),
        (lambda x: x.T.T, []),
        (lambda x: np.sin(x.reshape(6).reshape(3, 2)), ["reshape", "sin"]),
        (lambda x: x[:, :], []),
        (lambda x: x.sum(axis=1).sum(), ["sum"]),
        (lambda x: x * np.sin(2.0) ** 2, ["multiply"]),
    ],
)
def test_a_rule_leaves_only_what_is_needed(function, ops):
    assert ops_of(function, X) == ops


@pytest.mark.parametrize("function", [lambda x: x * 0, lambda x: x - x, lambda x: x / x])
def test_rules_that_nan_and_inf_would_break_are_not_there(function):
    assert ops_of(function, X)  # something is left to compute
