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
    assert_gradient_is_the_tapes,
    assert_second_order,
    assert_slopes_are_differences,
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
    for op in ELEMENTWISE_OPS for d in DTYPES for p in PATTERNS
    if result_dtype(op, d) is not None and (p not in ("empty", "number with vector") or d == F64)
]  # fmt: skip
DERIVATIVES = [
    pytest.param(op.name, p, id=f"{op.name}-{p}")
    for op in ELEMENTWISE_OPS if differentiable(op) for p in PATTERNS if p != "empty"
]  # fmt: skip

REFUSED = [op.name for op in ELEMENTWISE_OPS if result_dtype(op, np.dtype(bool)) is None and op.name != "sigmoid"]


@pytest.mark.parametrize(("name", "dtype", "pattern"), VALUES)
def test_the_emitted_code_computes_numpys_value_in_numpys_dtype(name, dtype, pattern):
    these = computed(dtype, pattern)
    expected = np.asarray(these.reference(these.by_name[name]))
    assert_close([these.values[name]], [expected], RTOL.get(expected.dtype.name, 0), atol=1e-300)


@pytest.mark.parametrize(("name", "pattern"), DERIVATIVES)
def test_gradients_are_those_of_the_tape(name, pattern):
    these = derived("float64", pattern)
    assert_gradient_is_the_tapes(these, these.by_name[name])


@pytest.mark.parametrize(("name", "pattern"), DERIVATIVES)
def test_gradients_and_tangents_are_central_differences(name, pattern):
    these = derived("float64", pattern)
    assert_slopes_are_differences(these, these.by_name[name], flat=name == "stop_gradient")


@pytest.mark.parametrize(("name", "pattern"), DERIVATIVES)
def test_second_derivatives_are_differences_of_gradients_and_the_tapes(name, pattern):
    these = derived("float64", pattern)
    assert_second_order(these, these.by_name[name])


@pytest.mark.parametrize("name", [op.name for op in ELEMENTWISE_OPS if differentiable(op)])
def test_reverse_over_reverse_is_forward_over_reverse(name):
    these = derived("float64", "vector")
    assert_close(these.twice_reversed[name], these.derivatives[name][2], 1e-10, 1e-12)


@pytest.mark.parametrize("name", [op.name for op in ELEMENTWISE_OPS if differentiable(op)])
def test_float32_gradients_stay_float32(name):
    these = derived("float32", "vector")
    assert_close(these.gradients[name], these.on_tape(these.by_name[name]), 2e-4, 1e-5)


@pytest.mark.parametrize("name", REFUSED)
def test_bools_without_a_loop_are_refused(name):
    op = next(op for op in ELEMENTWISE_OPS if op.name == name)
    with pytest.raises(DTypeError, match=f"{name}|no loop"):
        gg.jit(FUNCTIONS[name]).graph(*operands(op, np.dtype(bool), "vector"))
