"""Every op's rule, forward and back, at first and second order."""

import inspect

import numpy as np
import pytest

from gradgen import ops, tape
from gradgen.errors import DifferentiationError
from gradgen.ops.record import CALL, ELEMENTWISE, Op
from gradgen.tape.gates import Elementwise, Gate, fit
from tests.tape.oracles import assert_slopes_agree

SMOOTH = [
    op for op in ops.REGISTRY.values() if op.kind == ELEMENTWISE and op.partials and not op.name.startswith("stop")
]
BARE = {"astype": {"dtype": np.dtype(float)}, "copy": {"place": 0}}
REDUCTIONS = [ops.reductions.sum, ops.reductions.prod, ops.reductions.max, ops.reductions.min]


def operands(op, shapes=((2, 3), (3,), (2, 1))):
    rng = np.random.default_rng(1)
    return [rng.uniform(low, high, shape) for (low, high), shape in zip(op.sample, shapes, strict=False)]


@pytest.mark.parametrize("op", SMOOTH, ids=str)
def test_elementwise_gradients_agree_with_differences(op):
    xs = operands(op)
    assert len(xs) == len(inspect.signature(op.partials).parameters) - 1

    def f(*xs):
        return np.sum(np.square(op(*xs, **BARE.get(op.name, {}))))

    if op.name == "where":
        xs[0] = xs[0] > 0.5
        f_of, xs = (lambda x, y, c=xs[0]: f(c, x, y)), xs[1:]
    else:
        f_of = f
    assert_slopes_agree(f_of, tape.grad(f_of, argnums=tuple(range(len(xs)))), *xs)


@pytest.mark.parametrize("op", SMOOTH, ids=str)
def test_elementwise_second_derivatives_agree_with_differences(op):
    xs = operands(op)
    first = (op.name == "where") * 1
    xs[:first] = [x > 0.5 for x in xs[:first]]

    def f(x):
        args = [x if k == first else c for k, c in enumerate(xs)]
        return np.sum(np.square(op(*args, **BARE.get(op.name, {}))))

    def along(x):
        return np.sum(np.sin(np.arange(x.size)).reshape(x.shape) * tape.grad(f)(x))

    assert_slopes_agree(along, lambda x: (tape.grad(along)(x),), xs[first], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 2), -1])
@pytest.mark.parametrize("op", REDUCTIONS, ids=str)
def test_reductions_agree_with_differences_at_both_orders(op, axis):
    x = np.random.default_rng(2).normal(size=(2, 3, 2))
    function = getattr(np, op.name)
    weights = np.random.default_rng(3).normal(size=np.shape(function(x, axis=axis)))

    def f(x):
        return np.sum(weights * np.square(function(x, axis=axis)))

    def norm(x):
        return np.sum(np.square(tape.grad(f)(x)))

    assert_slopes_agree(f, lambda x: (tape.grad(f)(x),), x)
    assert_slopes_agree(norm, lambda x: (tape.grad(norm)(x),), x, rtol=1e-5)


VIEWS = {
    "reshape": lambda x: np.reshape(x, (3, 8)),
    "ravel": lambda x: x.ravel(),
    "transpose": lambda x: np.transpose(x, (2, 0, 1)),
    "T": lambda x: x.T,
    "int": lambda x: x[1],
    "negative int": lambda x: x[..., -1],
    "slice": lambda x: x[:, 1::2],
    "backward slice": lambda x: x[:, ::-1, ::-2],
    "newaxis": lambda x: x[None, :, None],
    "rows": lambda x: x[[1, 0, 1]],
    "points": lambda x: x[[0, 1], [2, 0]],
    "mask": lambda x: x[np.array([True, False])],
    "own mask": lambda x: x[x > 0],
    "take": lambda x: np.take(x, [0, 0, 2], axis=1),
    "broadcast_to": lambda x: np.broadcast_to(x, (2, 2, 3, 4)),
    "concatenate": lambda x: np.concatenate([x, 2 * x, np.ones((1, 3, 4))]),
    "stack": lambda x: np.stack([x[0], x[1] * x[0]], axis=-1),
    "squeeze": lambda x: np.squeeze(x[:, :1]),
    "diff": lambda x: np.diff(x, axis=1),
    "flip": lambda x: np.flip(x, axis=2),
    "outer": lambda x: np.outer(x[0, 0], x[1, 1]),
    "vstack": lambda x: np.vstack([x[0, 0], x[1, 1]]),
    "moveaxis": lambda x: np.moveaxis(x, 0, -1),
}


@pytest.mark.parametrize("name", VIEWS)
def test_views_and_indices_agree_with_differences_at_both_orders(name):
    x = np.random.default_rng(4).normal(size=(2, 3, 4))

    def f(x):
        y = VIEWS[name](x)
        return np.sum(np.cos(np.arange(y.size)).reshape(y.shape) * y * y * y)

    def norm(x):
        return np.sum(np.square(tape.grad(f)(x)))

    np.testing.assert_array_equal(tape.value_and_grad(f)(x)[0], f(x))
    assert_slopes_agree(f, lambda x: (tape.grad(f)(x),), x)
    assert_slopes_agree(norm, lambda x: (tape.grad(norm)(x),), x, rtol=1e-5)


@pytest.mark.parametrize("shapes", [((3, 4), (4, 2)), ((4,), (4, 2)), ((3, 4), (4,)), ((4,), (4,)), ((2, 3, 4), (4, 5)),
                                    ((2, 1, 3, 4), (5, 4, 2))])  # fmt: skip
@pytest.mark.parametrize("product", [np.matmul, np.dot, lambda a, b: a @ b])
def test_products_agree_with_differences_at_both_orders(product, shapes):
    if product is np.dot and max(map(len, shapes)) > 2:
        shapes = ((2, 4), (2, 4, 3))
    rng = np.random.default_rng(5)
    a, b = (rng.normal(size=s) for s in shapes)

    def f(a, b):
        return np.sum(np.square(product(a, b)))

    def norm(a, b):
        return sum(np.sum(np.square(g)) for g in tape.grad(f, argnums=(0, 1))(a, b))

    assert_slopes_agree(f, tape.grad(f, argnums=(0, 1)), a, b)
    assert_slopes_agree(norm, tape.grad(norm, argnums=(0, 1)), a, b, rtol=1e-5)
    for k, x in enumerate((a, b)):  # the other one constant
        one = tape.grad(f, argnums=k)(a, b)
        assert one.shape == x.shape


def test_a_gate_goes_forward_and_back_on_its_own():
    gate = Elementwise(ops.arithmetic.multiply, [3.0, np.float64(-4)], [None, Gate], {})
    assert gate.forward() == -12
    assert gate.backward(np.float64(2.0)) == [None, 6.0]


def test_fit_undoes_broadcasting_and_promotion():
    g = fit(np.ones((4, 3, 2)), np.zeros((3, 1), np.float32))
    assert g.dtype == np.float32
    np.testing.assert_array_equal(g, np.full((3, 1), 8))


def test_an_op_without_a_rule_computes_but_has_no_gradient():
    halve = Op("halve", CALL, lambda x: x / 2, None)
    assert tape.value_and_grad(lambda x: x + ops.stop_gradient(halve(x)))(3.0) == (4.5, 1.0)
    with pytest.raises(DifferentiationError, match=r"halve has no derivative rule\n  at .*test_gates.py:\d+"):
        tape.grad(lambda x: halve(x))(3.0)
