"""What loops and branches refuse: the error names the types and the line, and a later call works."""

import numpy as np
import pytest

import gradgen as gg
from gradgen.errors import ArgumentError, DTypeError, GradgenError, ShapeError, TraceError
from gradgen.testing import interpret

X = np.array([0.3, -0.7, 1.1])


def refused(error, f, *args, says=()):
    with pytest.raises(error) as found:
        interpret(f)(*args)
    text = str(found.value)
    for part in (*says, "test_bad_input.py:"):
        assert part in text, text


@pytest.mark.parametrize(
    ("body", "error", "types"),
    [
        (lambda i, c: c[:2], ShapeError, ("f64[3]", "f64[2]")),
        (lambda i, c: np.sum(c), ShapeError, ("f64[3]", "f64[]")),
        (lambda i, c: np.stack([c, c]), ShapeError, ("f64[3]", "f64[2,3]")),
        (lambda i, c: c > 0, DTypeError, ("f64[3]", "bool[3]")),
        (lambda i, c: c.astype(np.float32), DTypeError, ("f64[3]", "f32[3]")),
    ],
)
def test_a_carry_that_changes_its_type_is_an_error_with_both_types(body, error, types):
    refused(error, lambda x: gg.fori_loop(0, 3, body, x), X, says=("fori_loop", *types))
    refused(error, lambda x: gg.scan(lambda c, _: (body(0, c), None), x, length=3), X, says=("scan", *types))
    refused(error, lambda x: gg.while_loop(lambda c: np.sum(c) < 9, lambda c: body(0, c), x), X, says=types)


def test_a_float32_carry_that_meets_float64():
    refused(DTypeError, lambda x, y: gg.fori_loop(0, 3, lambda i, c: c * y, x), np.ones(3, np.float32), X,
            says=("f32[3]", "f64[3]"))  # fmt: skip


def test_a_carry_that_changes_its_structure():
    refused(ArgumentError, lambda x: gg.fori_loop(0, 3, lambda i, c: (c, c), x), X)
    refused(ArgumentError, lambda x: gg.fori_loop(0, 3, lambda i, c: None, x), X)
    refused(ArgumentError, lambda x: gg.scan(lambda c, x: c, 0.0, x), X, says=("two values",))


def test_branches_that_return_different_things():
    def of(a, b):
        return lambda x: gg.cond(x[0] > 0, a, b, x)

    refused(ShapeError, of(lambda x: x, lambda x: x[:2]), X, says=("f64[3]", "f64[2]"))
    refused(DTypeError, of(lambda x: x, lambda x: x > 0), X, says=("f64[3]", "bool[3]"))
    refused(ArgumentError, of(lambda x: (x, x), lambda x: x), X)


def test_a_predicate_that_is_no_scalar():
    refused(ShapeError, lambda x: gg.cond(x > 0, lambda: x, lambda: -x), X, says=("bool[3]",))
    refused(ShapeError, lambda x: gg.while_loop(lambda c: c < 3, lambda c: c + 1, x), X, says=("bool[3]",))
    with pytest.raises(ShapeError):
        gg.cond(X > 0, lambda: X, lambda: -X)


def test_lengths_that_do_not_fit():
    def step(c, x):
        return c, None

    refused(ShapeError, lambda x: gg.scan(step, 0.0, (x, x[:2])), X)
    refused(ShapeError, lambda x: gg.scan(step, 0.0, x, length=4), X)
    refused(ShapeError, lambda x: gg.scan(step, 0.0, x), 1.0)
    refused(ArgumentError, lambda x: gg.scan(step, x), 1.0)
    refused(ArgumentError, lambda x: gg.scan(step, x, length=-1), 1.0)
    refused(GradgenError, lambda x, n: gg.scan(step, 0.0, x, length=n), X, 3)


@pytest.mark.parametrize("bound", [2.5, X, "3", None])
def test_bounds_that_are_no_integers(bound):
    refused(GradgenError, lambda x: gg.fori_loop(0, bound, lambda i, c: c, x), 1.0)


def test_traced_bounds_that_are_no_integers():
    refused(DTypeError, lambda x: gg.fori_loop(0, x, lambda i, c: c, x), 1.0)
    refused(DTypeError, lambda x: gg.fori_loop(x, 3, lambda i, c: c, 1.0), X)


def test_a_value_that_leaves_its_body_is_an_error():
    kept = []

    def body(i, c):
        kept.append(c * 2)
        return c

    def f(x):
        gg.fori_loop(0, 3, body, x)
        return kept[-1] + x

    refused(TraceError, f, 1.0)
    refused(TraceError, lambda x: gg.cond(x > 0, lambda x: kept.append(x) or x, lambda x: x, x) + kept[-1], 1.0)
    kept.clear()
    assert interpret(lambda x: gg.fori_loop(0, 3, body, x))(1.0) == 1.0


def test_a_python_if_on_a_value_of_the_body():
    refused(GradgenError, lambda x: gg.fori_loop(0, 3, lambda i, c: c if c > 0 else -c, x), 1.0)


@pytest.mark.parametrize("transform", [gg.jit, gg.grad, gg.hessian, gg.vmap], ids=lambda t: t.__name__)
def test_an_error_raised_by_a_body_reaches_the_caller_and_later_calls_work(transform):
    broken = True

    def body(i, c):
        if broken:
            raise KeyError("mine")
        return c * 0.5

    def f(x):
        def outer(c, _):
            return gg.cond(c > 0, lambda c: gg.fori_loop(0, 2, body, c), lambda c: c, c), None

        return gg.scan(outer, x, length=2)[0]

    at = X if transform is gg.vmap else 2.0
    with pytest.raises(KeyError, match="mine"):
        interpret(transform(f))(at)
    assert gg.fori_loop(0, 2, lambda i, c: c + 1, 0) == 2  # plain Python again
    broken = False
    assert np.all(np.isfinite(interpret(transform(f))(at)))
