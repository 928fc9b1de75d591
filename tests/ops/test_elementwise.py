"""Every elementwise op: the emitted code is NumPy's value, its derivatives are differences and the tape's."""

from functools import cache

import numpy as np
import pytest

import gradgen as gg
from gradgen.errors import DTypeError
from tests.ops.registry import (
    DTYPES,
    ELEMENTWISE_OPS,
    FUNCTIONS,
    PATTERNS,
    Computed,
    assert_close,
    differentiable,
    elementwise_cases,
    operands,
    result_dtype,
)

pytestmark = pytest.mark.numba
F64 = np.dtype(np.float64)
RTOL = {"float64": 1e-12, "float32": 2e-6}


@cache
def computed(dtype, pattern) -> Computed:
    return Computed(*elementwise_cases(np.dtype(dtype), pattern))


@cache
def derived(dtype, pattern) -> Computed:
    cases, named = elementwise_cases(np.dtype(dtype), pattern)
    smooth = {op.name for op in ELEMENTWISE_OPS if differentiable(op)}
    return Computed([c for c in cases if c.name in smooth], named)


VALUES = [
    pytest.param(op.name, d.name, p, id=f"{op.name}-{d.name}-{p}")
    for op in ELEMENTWISE_OPS for d in DTYPES for p in PATTERNS if result_dtype(op, d) is not None
]  # fmt: skip
DERIVATIVES = [
    pytest.param(op.name, p, id=f"{op.name}-{p}") for op in ELEMENTWISE_OPS if differentiable(op) for p in PATTERNS
]

REFUSED = [op.name for op in ELEMENTWISE_OPS if result_dtype(op, np.dtype(bool)) is None and op.name != "sigmoid"]


@pytest.mark.parametrize(("name", "dtype", "pattern"), VALUES)
def test_the_emitted_code_computes_numpys_value_in_numpys_dtype(name, dtype, pattern):
    these = computed(dtype, pattern)
    expected = np.asarray(these.reference(these.by_name[name]))
    assert_close([these.values[name]], [expected], RTOL.get(expected.dtype.name, 0), atol=1e-300)


@pytest.mark.parametrize(("name", "pattern"), DERIVATIVES)
def test_gradients_are_those_of_the_tape(name, pattern):
    these = derived("float64", pattern)
    assert_close(these.gradients[name], these.on_tape(these.by_name[name]), 1e-10, 1e-12)


@pytest.mark.parametrize(("name", "pattern"), DERIVATIVES)
def test_gradients_and_tangents_are_central_differences(name, pattern):
    these = derived("float64", pattern)
    case = these.by_name[name]
    slope = these.difference(case, these.scalar(case)) if name != "stop_gradient" else 0.0
    reverse = sum(np.sum(g * v) for g, v in zip(these.gradients[name], these.directions(case), strict=True))
    np.testing.assert_allclose(reverse, slope, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(these.slopes[name], reverse, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("name", "pattern"), DERIVATIVES)
def test_second_derivatives_are_differences_of_gradients_and_the_tapes(name, pattern):
    these = derived("float64", pattern)
    case = these.by_name[name]
    differences = these.difference(case, lambda *xs: gradient_at(these, case, xs))
    for found, expected in zip(these.curvatures[name], differences, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert_close(these.curvatures[name], these.twice_on_tape(case), 1e-9, 1e-11)


def gradient_at(these, case, xs):
    from gradgen import tape

    return tape.grad(these.scalar(case), argnums=tuple(range(len(xs))))(*xs)


@pytest.mark.parametrize("name", [op.name for op in ELEMENTWISE_OPS if differentiable(op)])
def test_reverse_over_reverse_is_forward_over_reverse(name):
    these = derived("float64", "vector")
    assert_close(these.twice_reversed[name], these.curvatures[name], 1e-10, 1e-12)


@pytest.mark.parametrize("name", [op.name for op in ELEMENTWISE_OPS if differentiable(op)])
def test_float32_gradients_stay_float32(name):
    these = derived("float32", "vector")
    assert_close(these.gradients[name], these.on_tape(these.by_name[name]), 2e-4, 1e-5)


@pytest.mark.parametrize("name", REFUSED)
def test_bools_without_a_loop_are_refused(name):
    op = next(op for op in ELEMENTWISE_OPS if op.name == name)
    with pytest.raises(DTypeError, match=f"{name}|no loop"):
        gg.jit(FUNCTIONS[name]).graph(*operands(op, np.dtype(bool), "vector"))
