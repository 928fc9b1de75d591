"""Calling compiled functions: arguments of every make, results of one's own, trees, names, threads, pickles."""

import dataclasses
import pickle
import threading
from typing import NamedTuple

import numpy as np
import pytest

import gradgen as gg
from gradgen.errors import ArgumentError, DTypeError, TraceError
from gradgen.testing import interpret

pytestmark = pytest.mark.numba
twice = gg.jit(lambda x: x * 2.0)


def unaligned():
    memory = np.zeros(3 * 8 + 1, np.uint8)
    memory[1:].view(np.float64)[:] = [1.0, 2.0, 3.0]
    return memory[1:].view(np.float64)


def read_only():
    x = np.arange(3.0)
    x.flags.writeable = False
    return x


class Meters(np.ndarray):
    pass


MAKES = {
    "contiguous": np.arange(3.0),
    "strided": np.arange(6.0)[::2],
    "backwards": np.arange(3.0)[::-1],
    "of stride zero": np.broadcast_to(np.float64(3), (3,)),
    "column-major": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "transposed": np.arange(6.0).reshape(2, 3).T,
    "read-only": read_only(),
    "unaligned": unaligned(),
    "in the other byte order": np.arange(3.0).astype(">f8"),
    "without axes": np.array(2.0),
    "of a subclass": np.arange(3.0).view(Meters),
    "empty": np.zeros((0, 3)),
    "a NumPy number": np.float64(1.5),
    "float32": np.arange(3, dtype=np.float32),
    "a Python float": 1.5,
    "a Python int": 3,
    "a bool": True,
}


@pytest.mark.parametrize("make", MAKES)
def test_arrays_of_every_make_are_read_and_left_alone(make):
    x = MAKES[make]
    before = np.array(x, copy=True)
    for _ in range(2):  # the first call builds a runner, the second uses it
        found = twice(x)
        assert type(found) in (np.ndarray, np.float64, np.float32)
        assert found.dtype == (before * 2.0).dtype.newbyteorder("=")
        np.testing.assert_array_equal(found, before * 2.0)
    np.testing.assert_array_equal(x, before)


def test_numbers_keep_their_types_in_any_order_of_calls():
    both = gg.jit(lambda x, y=2: (x * y, {"sum": x + y}))
    for x in (3.0, np.float64(3), np.float32(3), 3, np.int64(3), True, 3.0, np.float32(3), np.float64(3)):
        for _ in range(2):
            found, (product, total) = twice(x), (both(x)[0], both(x, 2)[1]["sum"])
            assert type(found) is (np.float32 if type(x) is np.float32 else np.float64)
            assert found == 2 * x and product == 2 * x and total == x + 2
            assert type(product) is type(total) is type(np.float64(x * 2) if type(x) is float else np.add(x, 2))


def test_a_call_with_numbers_inside_a_trace_is_traced():
    seen = []
    inner = gg.jit(lambda x: seen.append(x) or x * x)
    assert [inner(3.0), inner(3.0), len(seen)] == [9.0, 9.0, 1]
    outer = gg.grad(lambda x: inner(x) * inner(3.0))
    assert outer(2.0) == 36.0 and len(seen) > 1
    assert inner(3.0) == 9.0


def test_makes_can_alternate():
    for x in [MAKES["contiguous"], MAKES["in the other byte order"], MAKES["read-only"], MAKES["contiguous"]]:
        np.testing.assert_array_equal(twice(x), [0.0, 2.0, 4.0])


@pytest.mark.parametrize("x", ["text", 1j, np.ones(2, np.complex128), np.ones(2, np.float16), object()], ids=repr)
def test_what_is_no_number_is_refused(x):
    with pytest.raises(DTypeError):
        twice(x)


def test_results_alias_neither_arguments_nor_one_another_nor_later_results():
    table = np.arange(4.0)
    f = gg.jit(
        lambda x: (x, x, x.T, x[:1], x.reshape(-1), np.broadcast_to(x[0], (2, 2)), table, x * 1.0, (x + 1)[::-1])
    )
    x = np.arange(4.0).reshape(2, 2)
    first = f(x)
    again = [y.copy() for y in first]
    everything = [x, table, *first]
    for k, a in enumerate(everything):
        assert not any(np.shares_memory(a, b) for b in everything[k + 1 :])
    for y in first:
        y.fill(-1.0)  # all can be written to
    for found, wanted in zip(f(x), again, strict=True):
        np.testing.assert_array_equal(found, wanted)


class Pair(NamedTuple):
    left: object
    right: object


@dataclasses.dataclass(frozen=True)
class Model:
    w: object
    b: object

    def __post_init__(self):
        assert self.b is not None


def test_trees_of_every_kind_go_in_and_come_out():
    def f(model, pair, table):
        return {"model": Model(model.w * 2, model.b), "pair": Pair(pair.right, None), "list": [table["k"][0], 3]}

    args = (Model(np.ones(2), 3.0), Pair(None, np.ones(3)), {"k": (2.0, None)})
    found = gg.jit(f)(*args)
    assert isinstance(found["model"], Model) and isinstance(found["pair"], Pair)
    np.testing.assert_array_equal(found["model"].w, [2.0, 2.0])
    assert found["pair"].right is None and found["list"] == [2.0, 3]


def test_gradients_have_the_tree_of_their_argument():
    def loss(model, tree):
        return np.sum(model.w) * model.b + tree["a"][0] * 3 + tree["a"][1][1]

    gradient = gg.grad(loss, argnums=(0, 1))(Model(np.ones(2), 5.0), {"a": (1.0, [2.0, 4.0])})
    np.testing.assert_array_equal(gradient[0].w, [5.0, 5.0])
    assert gradient[0].b == 2.0 and gradient[1] == {"a": (3.0, [0.0, 1.0])}


def test_leaves_of_one_name_stay_apart():
    def f(p, p_a):
        return p["a"] - p_a

    assert gg.grad(f, argnums=(0, 1))({"a": 2.0}, 3.0) == ({"a": 1.0}, -1.0)
    assert gg.jit(f)({"a": 2.0}, 3.0) == -1.0


def test_keyword_arguments_and_defaults():
    def f(x, y=3.0, *, scale=2.0):
        return x * y * scale

    assert gg.jit(f)(2.0) == 12.0
    assert gg.jit(f)(2.0, y=5.0) == 20.0
    assert gg.jit(f)(y=5.0, x=1.0, scale=1.0) == 5.0
    assert gg.grad(f)(2.0, scale=1.0) == 3.0
    assert gg.grad(f, argnums="y")(2.0) == 4.0
    assert gg.grad(f, argnums=(1, 0))(2.0, 3.0) == (4.0, 6.0)
    for call in (lambda: gg.jit(f)(1.0, 2.0, 3.0), lambda: gg.jit(f)(1.0, z=2.0), lambda: gg.jit(f)(1.0, x=2.0)):
        with pytest.raises(ArgumentError):
            call()


@pytest.mark.parametrize(("first", "second"), [(2, 2.0), (1, True), (0.0, -0.0), ((1,), (1.0,)), ("a", "b")])
def test_static_arguments_that_differ_in_type_or_sign_have_kernels_of_their_own(first, second):
    seen = []
    f = interpret(gg.jit(lambda x, how: (seen.append(how), x)[1], static="how"))
    for how in (first, second, first):
        f(1.0, how)
    assert list(map(repr, seen)) == [repr(first), repr(second)]


def test_static_arrays_are_compared_by_content():
    f = interpret(gg.jit(lambda x, k: x[k], static=("k",)))
    x = np.arange(4.0)
    np.testing.assert_array_equal(f(x, np.array([0, 2])), [0.0, 2.0])
    np.testing.assert_array_equal(f(x, np.array([1, 3])), [1.0, 3.0])


def test_static_arguments_without_a_hash_are_refused():
    with pytest.raises(ArgumentError, match="no hash"):
        gg.jit(lambda x, k: x * len(k), static=1)(1.0, [1, 2])


def test_static_numbers_are_not_mistaken_for_others_of_their_type():
    power = gg.jit(lambda x, n: x**n, static="n")
    assert [power(2.0, 2.0), power(2.0, 3.0), power(2.0, 2.0)] == [4.0, 8.0, 4.0]


def test_parameters_may_have_any_name():
    f = gg.jit(lambda self, first=2.0, args=1.0: self * first + args)
    assert f(self=3.0) == 7.0 and f(3.0, first=4.0) == 13.0 and f(args=0.0, self=1.0) == 2.0


def test_aux_results_come_along_and_are_no_part_of_the_gradient():
    def f(x):
        return x * x, {"double": 2 * x, "count": 3}

    assert gg.grad(f, has_aux=True)(3.0) == (6.0, {"double": 6.0, "count": 3})
    assert gg.value_and_grad(f, has_aux=True)(3.0) == ((9.0, {"double": 6.0, "count": 3}), 6.0)
    with pytest.raises(ArgumentError, match="has_aux"):
        gg.grad(lambda x: x * x, has_aux=True)(3.0)


def test_results_that_do_not_depend_on_the_argument_have_gradient_zero():
    np.testing.assert_array_equal(gg.grad(lambda x: 3.0)(np.ones(2)), np.zeros(2))


def test_results_without_numbers():
    assert gg.jit(lambda x: None)(1.0) is None
    assert gg.jit(lambda x: {})(1.0) == {}
    assert gg.jit(lambda: 2.5)() == 2.5
    with pytest.raises(DTypeError):
        gg.jit(lambda x: "text")(1.0)


def test_closures_over_arrays_and_lists_are_constants():
    weights, factors = np.arange(3.0), [2.0, 3.0]
    f = gg.grad(lambda x: np.sum(weights * x) * factors[0] + np.sum(np.array(factors) * x[:2]))
    np.testing.assert_array_equal(f(np.ones(3)), [2.0, 5.0, 4.0])


def test_a_value_kept_from_another_trace_is_refused():
    kept = []
    interpret(gg.jit(lambda x: kept.append(x) or x))(1.0)
    with pytest.raises(TraceError, match="another trace"):
        interpret(gg.jit(lambda x: x + kept[0]))(2.0)


@gg.grad
def cube(x):
    return x**3


def test_a_decorated_function_of_a_module_pickles_by_reference():
    assert pickle.loads(pickle.dumps(cube)) is cube
    with pytest.raises(TypeError, match="can't be pickled"):
        pickle.dumps(gg.grad(lambda x: x))


def test_methods_are_bound():
    class Line:
        slope = 3.0

        @gg.jit
        def at(self, x):
            return x * 2.0

    with pytest.raises(DTypeError):  # self is no number
        Line().at(2.0)


def test_many_threads_may_call_at_once():
    f = gg.value_and_grad(lambda x: np.sum(np.exp(np.sin(x)) @ np.ones((40, 3))))
    wrong = []

    def work(seed):
        for n in (5, 6, 7):
            x = np.random.default_rng(seed + n).normal(size=(n, 40))
            for _ in range(20):
                value, gradient = f(x)
                if not (
                    np.isclose(value, 3 * np.sum(np.exp(np.sin(x))))
                    and np.allclose(gradient, 3 * np.exp(np.sin(x)) * np.cos(x))
                ):
                    wrong.append((seed, n))

    in_threads(work)
    assert not wrong


def test_many_threads_may_call_with_numbers_of_different_types():
    f = gg.grad(lambda x: np.sqrt(x * x + np.exp(x)))
    wanted = {kind: f(kind(0.5)) for kind in (float, np.float64, np.float32)}
    wrong = []

    def work(seed):
        kind = list(wanted)[seed % 3]
        for _ in range(3000):
            found = f(kind(0.5))
            if found != wanted[kind] or type(found) is not type(wanted[kind]):
                wrong.append(kind)

    in_threads(work)
    assert not wrong


def in_threads(work):
    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
