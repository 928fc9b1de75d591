"""argnums and calls: the same words for the tape and the compiled transformations."""

import functools

import numpy as np
import pytest

from gradgen.errors import ArgumentError
from gradgen.trace.arguments import parameter_names, place, resolve_argnums


def f(x, y, /, z=3.0, *, key=0):
    return x


def rest(x, *ys):
    return x


@pytest.mark.parametrize(
    ("argnums", "expected"),
    [(0, ((0,), True)), ("y", ((1,), True)), (-1, ((2,), True)), ((0, "z"), ((0, 2), False)), ([1], ((1,), False)),
     (np.int64(2), ((2,), True))],
)  # fmt: skip
def test_argnums_become_positions(argnums, expected):
    assert resolve_argnums(f, argnums) == expected


@pytest.mark.parametrize(
    ("argnums", "problem"),
    [(3, "has 3 arguments by position"), (-4, "has 3"), ("w", "no argument of that name"), ("key", "by position"),
     ((), "empty"), ((0, "x"), "twice"), (True, "argnums=True"), (1.0, "argnums=1.0"), (None, "argnums=None")],
)  # fmt: skip
def test_argnums_that_f_does_not_have_are_refused(argnums, problem):
    with pytest.raises(ArgumentError, match=problem):
        resolve_argnums(f, argnums)


def test_functions_of_any_number_of_arguments_count_from_the_front():
    assert resolve_argnums(rest, (0, 5)) == ((0, 5), False)
    with pytest.raises(ArgumentError, match="none is the last"):
        resolve_argnums(rest, -1)


def test_functions_that_hide_their_parameters_take_positions():
    assert resolve_argnums(max, 1) == ((1,), True)
    with pytest.raises(ArgumentError, match="max has no argument"):
        resolve_argnums(max, "x")


def test_bound_arguments_are_no_parameters():
    assert resolve_argnums(functools.partial(f, 1.0), "y") == ((0,), True)


def test_place_puts_names_and_defaults_in_their_position():
    assert place(f, (1,), (1, 2), {"key": 5}) == ((1, 2), {"key": 5})
    assert place(f, (2,), (1, 2), {"z": 4, "key": 5}) == ((1, 2, 4), {"key": 5})
    assert place(f, (2,), (1, 2), {})[0] == (1, 2, 3.0)
    with pytest.raises(ArgumentError, match="argument 3 of rest, which got 1"):
        place(rest, (3,), (1,), {})
    with pytest.raises(TypeError, match="missing"):
        place(f, (2,), (1,), {})


def test_parameters_are_named_and_numbered():
    assert parameter_names(f, 2) == ["x", "y"]
    assert parameter_names(rest, 3) == ["x", "ys0", "ys1"]
    assert parameter_names(max, 2) == ["arg0", "arg1"]
