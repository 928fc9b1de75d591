"""What a gradgen function may return to @njit code."""

from typing import NamedTuple

import pytest
from numba import njit

import gradgen as gg
from gradgen.errors import UnsupportedError

pytestmark = pytest.mark.numba


class Pair(NamedTuple):
    a: float
    b: float


@pytest.mark.parametrize(("f", "wanted"), [
    (lambda x: x * 2, 2.0), (lambda x: (x, None), (1.0, None)), (lambda x: (x,), (1.0,)), (lambda x: [x, x * 2], (1.0, 2.0)),
    (lambda x: Pair(x, x + 1), Pair(1.0, 2.0)), (lambda x: (None, (x,)), (None, (1.0,))),
], ids=["number", "none", "one", "list", "named", "nested"])  # fmt: skip
def test_tuples_of_numbers(f, wanted):
    function = gg.jit(f)

    @njit
    def called(x):
        return function(x)

    assert called(1.0) == wanted


def test_other_containers_are_refused():
    function = gg.jit(lambda x: {"a": x})

    @njit
    def called(x):
        return function(x)

    with pytest.raises(UnsupportedError, match="returns a dict, which @njit code has no type for"):
        called(1.0)
