"""The public names, pinned: a change of this list is a decision."""

import pytest

import gradgen

NAMES = [
    "FitResult", "checkpoint", "cond", "empty", "empty_like", "errors", "fit", "fori_loop", "full", "full_like",
    "grad", "hessian", "hvp", "jacobian", "jit", "jvp", "nn", "no_grad", "ones", "ones_like", "optim", "scan",
    "stop_gradient", "tape", "testing", "value_and_grad", "vjp", "vmap", "while_loop", "zeros", "zeros_like",
]  # fmt: skip


def test_the_public_names_are_these():
    assert sorted(gradgen.__all__) == NAMES


def test_the_list_is_sorted():
    assert gradgen.__all__ == sorted(gradgen.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_reachable(name):
    assert getattr(gradgen, name) is not None
    assert name in dir(gradgen)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="gradient"):
        gradgen.gradient  # noqa: B018
