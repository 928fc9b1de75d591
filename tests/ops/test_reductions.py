"""Every reduction, over no axis, each, several, counted from the end, kept, and of size 1."""

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
RNG = np.random.default_rng(0)
NAMED = {
    "cube": RNG.permutation(24).reshape(2, 3, 4) / 7 - 1.6,  # no ties: they have no differences
    "thin": RNG.permutation(12).reshape(3, 1, 4) / 5 - 1.1,
    "row": RNG.permutation(5) / 3 - 0.7,
    "single": np.array([0.7]),
    "f32": (RNG.permutation(12).reshape(3, 4) / 5 - 1.1).astype(np.float32),
    "i64": RNG.integers(-4, 5, (3, 4)),
    "bool": RNG.integers(0, 2, (3, 4)).astype(bool),
}
AXES = {
    "cube": (None, 0, 1, -1, (0, 2), (-1, 0)),
    "thin": (None, 1, (1, 2)),
    "row": (None, -1),
    "single": (0,),
    "f32": (None, 0, 1, (0, 1)),
    "i64": (None, 1),
    "bool": (None, 0),
}
SMOOTH = (np.sum, np.prod, np.mean, np.max, np.min, np.var)
OTHERS = (np.any, np.all, np.argmax, np.argmin)


def _cases(functions, operands, keepdims=(False, True)):
    found = []
    for function in functions:
        for operand in operands:
            for axis in AXES[operand]:
                if function in (np.argmax, np.argmin) and isinstance(axis, tuple):
                    continue
                for keep in keepdims:
                    name = f"{function.__name__}-{operand}-{axis}{'-keepdims' if keep else ''}"
                    found.append((name, lambda x, f=function, a=axis, k=keep: f(x, axis=a, keepdims=k), operand))
    return found


VALUES = family(_cases(SMOOTH, ("cube", "single", "f32"), (False,))
                + _cases((np.sum, np.prod, np.max, np.mean), ("i64", "bool"), (False,))
                + _cases((np.sum, np.max), ("thin",)) + _cases(OTHERS, ("i64", "bool")), NAMED)  # fmt: skip
DERIVED = family(_cases(SMOOTH, ("row",), (False,)) + _cases((np.sum, np.prod), ("single", "thin"), (False,))
                 + _cases((np.sum, np.max), ("cube",), (False,)) + _cases((np.min,), ("thin",), (True,)),
                 NAMED)  # fmt: skip
ALL = pytest.mark.parametrize("case", VALUES.cases, ids=str)
SLOPED = pytest.mark.parametrize("case", DERIVED.cases, ids=str)


@ALL
def test_a_reduction_is_numpys_in_value_shape_and_dtype(case):
    expected = np.asarray(VALUES.reference(case))
    rtol = 1e-5 if expected.dtype == np.float32 else 1e-11
    assert_close([VALUES.values[case.name]], [expected], rtol, atol=rtol / 10)


@SLOPED
def test_gradients_are_those_of_the_tape(case):
    assert_gradient_is_the_tapes(DERIVED, case)


@SLOPED
def test_gradients_and_tangents_are_central_differences(case):
    assert_slopes_are_differences(DERIVED, case)


@SLOPED
def test_second_derivatives_are_differences_of_gradients_and_the_tapes(case):
    assert_second_order(DERIVED, case)
