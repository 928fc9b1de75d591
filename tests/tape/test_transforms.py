"""grad, value_and_grad and vjp of the tape: what they take, what they give, what they refuse."""

import dataclasses
from typing import NamedTuple

import numpy as np
import pytest

from gradgen import errors, tape


def formula(x):
    return np.sqrt(x * x + np.exp(x * x))


def test_the_formula_of_the_first_page():
    out = tape.grad(formula)(0.5)
    assert type(out) is np.float64
    np.testing.assert_allclose(out, (0.5 + 0.5 * np.exp(0.25)) / np.sqrt(0.25 + np.exp(0.25)), rtol=1e-15)


def test_it_decorates_with_and_without_arguments():
    @tape.grad
    def f(x):
        return x * x

    @tape.value_and_grad(argnums="y")
    def g(x, y):
        """Doc."""
        return x * y

    assert f(3.0) == 6
    assert g(2.0, 5.0) == (10, 2)
    assert g.__name__ == "g"
    assert g.__doc__ == "Doc."


def test_argnums_choose_the_gradients():
    def f(x, y, z=2.0):
        return x * y**3 * z

    assert tape.grad(f)(5.0, 2.0) == 16
    assert tape.grad(f, argnums=1)(5.0, 2.0) == 120
    assert tape.grad(f, argnums=(1, 0))(5.0, 2.0) == (120, 16)
    assert tape.grad(f, argnums=(0,))(5.0, 2.0) == (16,)
    assert tape.grad(f, argnums=("y", "x"))(5.0, 2.0) == (120, 16)
    assert tape.grad(f, argnums="z")(5.0, 2.0) == 40
    assert tape.grad(f, argnums="y")(x=5.0, y=2.0) == 120
    assert tape.grad(f, argnums=-1)(5.0, 2.0, 1.0) == 40


class Layer(NamedTuple):
    w: np.ndarray
    b: float


@dataclasses.dataclass
class Model:
    layers: list
    scale: np.ndarray


def test_gradients_have_the_tree_of_the_argument():
    model = Model([Layer(np.ones((2, 2)), 1.0), None, {"w": np.float32(3)}], np.ones(2, np.float32))

    def f(model):
        (first, _, last) = model.layers
        return np.sum(first.w * model.scale) * first.b * last["w"]

    g = tape.grad(f)(model)
    assert isinstance(g, Model)
    assert isinstance(g.layers[0], Layer)
    assert g.layers[1] is None
    np.testing.assert_array_equal(g.layers[0].w, np.full((2, 2), 3))
    assert type(g.layers[0].b) is np.float64
    assert type(g.layers[2]["w"]) is np.float32
    assert g.scale.dtype == np.float32
    np.testing.assert_array_equal(g.scale, [6, 6])


def test_has_aux_carries_a_tree_out():
    def f(x):
        y = x * x
        return np.sum(y), {"y": y, "n": 3, "x": x, "none": None}

    x = np.array([1.0, 2.0])
    (value, aux), g = tape.value_and_grad(f, has_aux=True)(x)
    assert value == 5
    np.testing.assert_array_equal(g, 2 * x)
    np.testing.assert_array_equal(aux["y"], x * x)
    assert aux["n"] == 3
    assert not np.shares_memory(aux["x"], x)
    g, aux = tape.grad(f, has_aux=True)(x)
    assert aux["none"] is None


@pytest.mark.parametrize(
    "f", [np.sum, lambda x: np.sum(x + 1), lambda x: np.sum(x.T), lambda x: x[0, 0] * 1, lambda x: 1.0]
)
def test_results_own_their_memory(f):
    x = np.ones((2, 3))
    a, b = tape.grad(lambda x, y: f(x) + f(y), argnums=(0, 1))(x, x)
    assert a.flags.writeable
    assert b.flags.writeable
    assert not np.shares_memory(a, b)
    assert not np.shares_memory(a, x)
    a += 1
    np.testing.assert_array_equal(x, 1)


def test_inputs_may_be_read_only_strided_and_swapped():
    x = np.broadcast_to(np.float64(2), (3, 2))
    np.testing.assert_array_equal(tape.grad(lambda x: np.sum(x * x))(x), np.full((3, 2), 4))
    g = tape.grad(lambda x: np.sum(x * x))(np.array([1, 2], ">f8"))
    assert g.dtype == np.float64
    np.testing.assert_array_equal(g, [2, 4])


def test_what_does_not_reach_the_output_gets_zeros():
    a, b, c = tape.grad(lambda x, y, z: np.sum(np.floor(x)) + 0.0 * y, argnums=(0, 1, 2))(
        np.ones(2), 1.0, np.float32(1)
    )
    np.testing.assert_array_equal(a, [0, 0])
    assert (b, c) == (0, 0)
    assert c.dtype == np.float32
    assert tape.value_and_grad(lambda x: 4.0)(1.0) == (4, 0)


def test_vjp_takes_cotangents_again_and_again():
    x, w = np.array([1.0, 2.0]), np.array([[1.0, 2.0], [3.0, 4.0]])
    (y, n), pullback = tape.vjp(lambda x, w: (x @ w, np.sum(x)), x, w)
    np.testing.assert_array_equal(y, x @ w)
    assert n == 3
    for scale in (1, 2):
        gx, gw = pullback((scale * np.ones(2), 1.0))
        np.testing.assert_array_equal(gx, scale * w.sum(1) + 1)
        np.testing.assert_array_equal(gw, scale * np.outer(x, np.ones(2)))
    with pytest.raises(errors.ShapeError, match="cotangent"):
        pullback((np.ones(3), 1.0))
    with pytest.raises(errors.ShapeError, match="cotangent"):
        pullback(np.ones(2))


def test_the_cotangent_of_an_identity_is_copied():
    g = np.ones(2)
    _, pullback = tape.vjp(lambda x: x, np.zeros(2))
    assert not np.shares_memory(pullback(g)[0], g)


@pytest.mark.parametrize("x", [3, True, np.arange(3), np.int32(1), [1.0, 2]])
def test_integer_arguments_have_no_gradient(x):
    with pytest.raises(errors.DifferentiationError, match="argument x of <lambda> is"):
        tape.grad(lambda x: 1.0)(x)


def test_other_dtypes_are_refused():
    for x in (1j, "one", np.float16(1), np.longdouble(1), object()):
        with pytest.raises(errors.DTypeError, match="argument x of <lambda> has dtype"):
            tape.grad(lambda x: x)(x)


@pytest.mark.parametrize(
    ("out", "given"),
    [
        (lambda x: x, r"f64\[2,3\]"),
        (lambda x: x[:1, :1], r"f64\[1,1\]"),
        (lambda x: np.argmax(x), "i64: only floats"),
        (lambda x: x[0, 0] > 0, "bool"),
        (lambda x: None, "NoneType"),
        (lambda x: (np.sum(x), 1), "tuple"),
        (lambda x: 1, "int"),
    ],
)
def test_outputs_that_are_no_scalar_are_refused_with_the_remedy(out, given):
    with pytest.raises(errors.DifferentiationError, match=f"returned {given}.*\n  hint: "):
        tape.grad(out)(np.ones((2, 3)))


def test_has_aux_needs_a_pair():
    with pytest.raises(errors.ArgumentError, match="not the pair"):
        tape.grad(lambda x: x, has_aux=True)(1.0)


def test_wrong_argnums_are_refused_when_decorating():
    with pytest.raises(errors.ArgumentError, match="has 1 arguments"):
        tape.grad(formula, argnums=1)
