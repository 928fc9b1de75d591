"""Bad input: an error of gradgen's own that names the op, the types, the user's line and the remedy."""

import math
from pathlib import Path

import numpy as np
import pytest

import gradgen as gg
from gradgen import errors

HERE = Path(__file__).name
X = np.ones(3)


def refusal(kind, function, *args, **options):
    """The error of gg.grad(function)(*args), which must be of this kind and name a line of this file and a remedy."""
    with pytest.raises(kind) as caught:
        gg.grad(function, **options)(*args)
    error = caught.value
    assert isinstance(error, errors.GradgenError)
    return error


def names_this_file(error):
    return (
        error.where is not None and Path(error.where.file).name == HERE and f"{HERE}:{error.where.line}" in str(error)
    )


def test_sizes_that_do_not_fit_name_the_op_both_types_and_the_line():
    error = refusal(ValueError, lambda x: np.sum(x + np.ones(4)), X)
    assert isinstance(error, errors.ShapeError)
    assert "add" in str(error) and "f64[3]" in str(error) and "f64[4]" in str(error)
    assert names_this_file(error) and error.hint


def test_inner_sizes_of_a_product_are_named():
    error = refusal(errors.ShapeError, lambda x: np.sum(x @ np.ones((12, 4))), np.ones((32, 10)))
    assert "matmul: f64[32,10] @ f64[12,4]: inner sizes differ (10 and 12)" in str(error)
    assert names_this_file(error) and error.hint


def test_a_branch_on_a_traced_value_points_at_where():
    error = refusal(TypeError, lambda x: x if x > 0 else -x, 1.0)
    assert isinstance(error, errors.TraceError) and "bool[]" in str(error)
    assert "np.where" in error.hint and names_this_file(error)


@pytest.mark.parametrize("convert", [float, int, math.sin, range, complex])
def test_what_only_a_number_has_is_refused(convert):
    error = refusal(TypeError, lambda x: convert(x), 1.0)
    assert isinstance(error, errors.TraceError) and "f64[]" in str(error)
    assert error.hint and names_this_file(error)


def test_math_functions_point_at_numpys():
    assert "np.sin" in refusal(errors.TraceError, lambda x: math.sin(x), 1.0).hint


def test_assignment_into_a_numpy_array_is_a_mutation():
    def f(x):
        a = np.zeros(3)
        a[0] = x[0]
        return a.sum()

    error = refusal(errors.MutationError, f, X)
    assert "gg.zeros" in error.hint and names_this_file(error)


def test_assignment_into_a_traced_array_is_a_mutation():
    def f(x):
        x[0] = 1.0
        return x.sum()

    error = refusal(errors.MutationError, f, X)
    assert "f64[3]" in str(error) and names_this_file(error)


def test_a_numpy_function_that_is_not_traced_is_named():
    error = refusal(NotImplementedError, lambda x: np.sum(np.linalg.svd(x)[1]), np.ones((2, 2)))
    assert isinstance(error, errors.UnsupportedError) and "svd" in str(error)
    assert names_this_file(error) and error.hint


def test_an_output_that_is_not_a_scalar_is_refused_with_its_type():
    error = refusal(errors.DifferentiationError, lambda x: x * 2, X)
    assert "f64[3]" in str(error) and "jacobian" in error.hint


@pytest.mark.parametrize("x", [3, np.arange(3), True])
def test_integers_have_no_gradient(x):
    error = refusal(errors.DifferentiationError, lambda x: np.sum(x * 1.0), x)
    assert "not a float" in str(error) and error.hint


@pytest.mark.parametrize("argnums", [2, -3, "weights", (0, 5), (0, 0), 1.5, ()])
def test_argnums_that_do_not_fit_are_refused_when_the_gradient_is_made(argnums):
    with pytest.raises(errors.ArgumentError):
        gg.grad(lambda x, y: x * y, argnums=argnums)


def test_an_argument_that_is_no_number_is_refused():
    with pytest.raises(errors.DTypeError, match="static"):
        gg.jit(lambda x: x)("text")


@pytest.mark.parametrize("dtype", [np.float16, np.complex128, object])
def test_dtypes_that_are_not_compiled_are_named(dtype):
    with pytest.raises(errors.DTypeError, match=np.dtype(dtype).name):
        gg.jit(lambda x: x + 1)(np.ones(2, dtype))


def test_an_error_leaves_the_function_as_it_was():
    f = gg.grad(lambda x: np.sum(x * np.ones(3)))
    with pytest.raises(errors.ShapeError):
        f(np.ones(4))
    assert f(X).tolist() == [1.0, 1.0, 1.0]
    assert set(f.last_stages) >= {"trace", "simplify"}


@pytest.mark.parametrize("options", [{"sizes": "some"}, {"static": ("z",)}])
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(errors.ArgumentError):
        gg.grad(lambda x: x, **options)


@pytest.mark.parametrize(
    ("signature", "kind"),
    [(("f64[n]", "f64"), errors.ArgumentError), (("q8[n]",), errors.ArgumentError), (("f32[n]",), errors.DTypeError),
     (("f64[n,m]",), errors.ShapeError), (("f64[4]",), errors.ShapeError)],
)  # fmt: skip
def test_a_signature_that_does_not_fit_the_call_is_refused(signature, kind):
    with pytest.raises(kind):
        gg.grad(lambda x: np.sum(x), signature=signature)(X)


@pytest.mark.numba
def test_an_index_out_of_range_raises_at_run_time():
    f = gg.jit(lambda x, i: x[i])
    assert f(X, 2) == 1.0
    with pytest.raises(IndexError, match=HERE):
        f(X, 3)


@pytest.mark.numba
def test_a_kernel_checks_the_shapes_it_was_compiled_for():
    kernel = gg.grad(lambda x: np.sum(x * x)).kernel(X)
    with pytest.raises(ValueError, match=r"x must be f64\[3\]"):
        kernel.njit(np.ones(4))


@pytest.mark.numba
def test_inside_njit_the_user_reads_gradgens_own_error():
    from numba import njit

    f = gg.grad(lambda x, y: np.sum(x + y))

    @njit
    def run(x, y):
        return f(x, y)

    with pytest.raises(errors.ShapeError, match="signature"):
        run(np.ones(2), np.ones(2))
