"""Transformations and their compositions, against values known by hand and against JAX to third order."""

import numpy as np
import pytest

import gradgen as gg
from gradgen.errors import ArgumentError, DifferentiationError, ShapeError
from gradgen.testing import interpret

X = np.array([0.3, -1.2, 2.0])
W = np.array([[0.5, -1.0, 2.0], [1.5, 0.2, -0.3]])


def layer(w, x):
    return np.tanh(w @ x)


def loss(w, x):
    return np.sum(layer(w, x) ** 2) + np.prod(x) * np.max(w)


def derivatives(g, numpy):
    """name -> function of (w, x); `g`: gradgen, or JAX with the same verbs."""

    def f(w, x):
        h = numpy.tanh(w @ x)
        return numpy.sum(h**2) + numpy.prod(x) * numpy.max(w) + numpy.sum(numpy.where(w > 0, w * x, x[::-1]))

    def h(w, x):
        return numpy.concatenate([numpy.tanh(w @ x), numpy.exp(x) * x[0]])

    def along(w, x):
        return g.jvp(lambda x: h(w, x), (x,), (numpy.cos(x),))[1]

    return {
        "grad": g.grad(f, argnums=(0, 1)),
        "grad of grad": g.grad(lambda w, x: numpy.sum(g.grad(f)(w, x) ** 2), argnums=(0, 1)),
        "third order": g.grad(
            lambda w, x: numpy.sum(g.grad(lambda w: numpy.sum(g.grad(f, argnums=1)(w, x) ** 2))(w) * w)
        ),
        "jacobian": g.jacobian(h, argnums=1),
        "jacobians": g.jacobian(h, argnums=(0, 1)),
        "jacobian of jacobian": g.jacobian(g.jacobian(h, argnums=1), argnums=1),
        "hessian": g.hessian(f),
        "hessians": g.hessian(f, argnums=(0, 1)),
        "gradient of a hessian": g.jacobian(g.hessian(f, argnums=1), argnums=1),
        "jvp": along,
        "grad of jvp": g.grad(lambda w, x: numpy.sum(along(w, x) ** 2), argnums=(0, 1)),
        "jvp of jvp": lambda w, x: g.jvp(lambda x: along(w, x), (x,), (x,))[1],
        "vjp": lambda w, x: g.vjp(h, w, x)[1](numpy.arange(5.0)),
        "vjp of grad": lambda w, x: g.vjp(g.grad(f), w, x)[1](w),
        "jvp of vjp": lambda w, x: g.jvp(lambda x: g.vjp(h, w, x)[1](numpy.arange(5.0))[1], (x,), (x,))[1],
        "batch of gradients": g.vmap(g.grad(f, argnums=1), in_axes=(None, 0)),
        "gradient of a batch": g.grad(lambda w, x: numpy.sum(g.vmap(h, in_axes=(None, 0))(w, x) ** 2), argnums=(0, 1)),
        "batch of hessians": g.vmap(g.hessian(f, argnums=1), in_axes=(None, 0)),
        "batch of batches": lambda w, x: g.vmap(g.vmap(lambda a, b: a * numpy.sum(b), (None, 0)), (0, None))(w, x),
        "batch along another axis": g.vmap(lambda w, x: w * numpy.tanh(x), in_axes=(1, 1), out_axes=1),
        "compiled inside": lambda w, x: g.jit(lambda x: g.grad(f)(w, x * 2))(x),
    }


COMPILED = ("grad", "jacobians", "hessian", "grad of jvp", "jvp of vjp", "compiled inside")
BATCHED = {"batch of gradients", "gradient of a batch", "batch of hessians", "batch of batches"}
NAMES = list(derivatives(gg, np))


class _Verbs:
    """JAX by gradgen's names."""

    def __init__(self, jax):
        self.grad, self.hessian, self.jvp, self.vjp, self.jit = jax.grad, jax.hessian, jax.jvp, jax.vjp, jax.jit
        self.jacobian, self.vmap = jax.jacobian, jax.vmap


@pytest.mark.parametrize("name", NAMES)
def test_compositions_are_those_of_jax(name):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    x = np.stack([X, X[::-1], -X]) if name in BATCHED else np.stack([X, X + 1]) if name.startswith("batch along") else X
    found = interpret(derivatives(gg, np)[name])(W, x)
    wanted = derivatives(_Verbs(jax), jax.numpy)[name](W, x)
    for a, b in zip(*(jax.tree_util.tree_leaves(tree) for tree in (found, wanted)), strict=True):
        assert np.shape(a) == np.shape(b)
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.numba
def test_compositions_compile_into_what_they_evaluate_to():
    named = derivatives(gg, np)

    def together(w, x):
        return {name: named[name](w, x) for name in COMPILED}

    found, wanted = gg.jit(together)(W, X), interpret(together)(W, X)
    leaves = gg.trace.pytree.flatten
    for a, b in zip(leaves(found)[0], leaves(wanted)[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_perturbations_of_nested_derivatives_are_not_confused():
    assert interpret(gg.grad(lambda x: x * gg.grad(lambda y: x + y)(x)))(2.0) == 1.0
    assert interpret(gg.grad(lambda x: x * gg.jvp(lambda y: x + y, (x,), (1.0,))[1]))(2.0) == 1.0
    assert interpret(gg.grad(lambda x: gg.grad(lambda y: x * y * y)(x)))(3.0) == 6.0 + 6.0


def test_functions_close_over_values_of_an_outer_derivative():
    def outer(x):
        inner = gg.jit(lambda y: np.sin(x) * y)
        return inner(x) + gg.grad(inner)(2.0)

    assert interpret(gg.grad(outer))(0.5) == pytest.approx(np.cos(0.5) * 0.5 + np.sin(0.5) + np.cos(0.5))


def test_jacobians_in_both_modes_agree():
    forward, reverse = (interpret(gg.jacobian(layer, argnums=0, mode=m))(W, X) for m in ("forward", "reverse"))
    assert forward.shape == (2, 2, 3)
    np.testing.assert_allclose(forward, reverse, rtol=1e-12)
    with pytest.raises(ArgumentError, match="mode"):
        interpret(gg.jacobian(layer, mode="sideways"))(W, X)


def test_jacobians_of_numbers_and_of_nothing():
    assert interpret(gg.jacobian(lambda x: x * x))(3.0) == 6.0
    assert interpret(gg.jacobian(lambda x: x * 2.0))(np.zeros(0)).shape == (0, 0)
    np.testing.assert_array_equal(interpret(gg.jacobian(lambda x: np.sum(x)))(X), np.ones(3))


def test_the_hessian_times_a_vector():
    v = np.array([1.0, -2.0, 0.5])
    hessian = interpret(gg.hessian(loss, argnums=1))(W, X)
    product = interpret(gg.hvp(lambda x, w: loss(w, x)))(X, W, v)
    np.testing.assert_allclose(product, hessian @ v, rtol=1e-10)


@pytest.mark.numba
def test_a_pullback_serves_many_cotangents_and_does_not_see_later_changes():
    x = np.arange(1.0, 4.0)
    out, pullback = gg.vjp(lambda x: (x**3, np.sum(x)), x)
    x[:] = 100.0
    np.testing.assert_array_equal(out[0], [1.0, 8.0, 27.0])
    np.testing.assert_array_equal(pullback((np.ones(3), 0.0))[0], [3.0, 12.0, 27.0])
    np.testing.assert_array_equal(pullback((np.zeros(3), 2.0))[0], [2.0, 2.0, 2.0])
    with pytest.raises(ShapeError, match="cotangent"):
        pullback(np.ones(3))


@pytest.mark.numba
def test_forward_mode_gives_value_and_tangent():
    out, tangent = gg.jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 10.0))
    assert (out, tangent) == (6.0, 23.0)
    with pytest.raises(ShapeError, match="tangent"):
        gg.jvp(lambda x: np.sum(x), (X,), (np.ones(2),))
    with pytest.raises(ArgumentError, match="tuples"):
        gg.jvp(lambda x: x, 1.0, 1.0)
    with pytest.raises(DifferentiationError, match="not a float"):
        gg.jvp(lambda x: x * 1.0, (1,), (1.0,))


@pytest.mark.parametrize(
    ("arguments", "axes", "kind"),
    [((2.0,), 0, ShapeError), ((X, W), 0, ShapeError), ((X,), None, ArgumentError), ((X,), (0, 0), ArgumentError)],
)
def test_batches_that_do_not_fit_are_refused(arguments, axes, kind):
    with pytest.raises(kind, match="vmap"):
        interpret(gg.vmap(lambda *xs: xs[0] * 2.0, in_axes=axes))(*arguments)


def test_a_batch_of_lookups_stays_in_its_own_row():
    table, index = np.arange(12.0).reshape(4, 3), np.array([0, 1, 2, -1])
    np.testing.assert_array_equal(interpret(gg.vmap(lambda row, i: row[i]))(table, index), [0.0, 4.0, 8.0, 11.0])
    with pytest.raises(IndexError):
        interpret(gg.vmap(lambda row, i: row[i]))(table, np.array([0, 3, 0, 0]))


def test_gradients_are_stopped_where_asked():
    assert interpret(gg.grad(lambda x: x * gg.stop_gradient(x)))(3.0) == 3.0

    def f(x):
        with gg.no_grad():
            scale = x * 2
        return x * scale

    assert interpret(gg.grad(f))(3.0) == 6.0
