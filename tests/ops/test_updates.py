"""Writes at slices and at integer arrays: NumPy's elements, derivatives of both operands, batches, what repeats."""

import numpy as np
import pytest

import gradgen as gg
from gradgen.ops import updates
from gradgen.testing import check_grads, interpret
from gradgen.trace.writing import At
from tests import plain_python

RNG = np.random.default_rng(3)
V, M = RNG.normal(size=5), RNG.normal(size=(4, 3))
KEYS = {
    "a place": (V, 2), "a place from the end": (V, -2), "a slice": (V, np.s_[1:4]), "steps": (V, np.s_[::2]),
    "backwards": (V, np.s_[3:0:-2]), "nothing": (V, np.s_[4:2]), "an index": (V, np.array([0, 3])),
    "an index that repeats": (V, np.array([1, 1, 3, 1])), "an index from the end": (V, np.array([-1, 0, -1])),
    "an empty index": (V, np.array([], np.int64)), "a table": (V, np.array([[0, 1], [1, 4]])),
    "an element": (M, np.s_[1, -1]), "a row": (M, np.s_[1]), "a column": (M, np.s_[:, 1]),
    "a block by steps": (M, np.s_[1:3, ::-2]), "rows that repeat": (M, np.array([0, 2, 0])),
    "columns that repeat": (M, np.s_[:, np.array([2, 0, 2])]), "pairs": (M, (np.array([0, 1, 0]), np.array([2, 0, 2]))),
}  # fmt: skip
EACH = pytest.mark.parametrize("name", KEYS)
VERBS = pytest.mark.parametrize("verb", ["set", "add"])


def write(verb, key):
    return lambda a, v: getattr(At(a)[key], verb)(v)


def operands(name):
    a, key = KEYS[name]
    return a, np.asarray(RNG.normal(size=np.shape(a[key])))[()]


def numpys(verb, a, key, v):
    out = a.copy()
    if verb == "add":
        np.add.at(out, key, v)
    else:
        out[key] = v
    return out


@EACH
@VERBS
def test_a_write_gives_numpys_elements_in_the_graph_and_in_the_code(name, verb):
    (a, v), key = operands(name), KEYS[name][1]
    wanted = numpys(verb, a, key, v)
    np.testing.assert_array_equal(write(verb, key)(a, v), wanted)
    np.testing.assert_array_equal(interpret(write(verb, key))(a, v), wanted)
    (found,) = plain_python.run(gg.jit(write(verb, key)).kernel(a, v), [a, v])
    np.testing.assert_array_equal(found, wanted)


@EACH
@VERBS
def test_derivatives_of_both_operands_are_differences(name, verb):
    key = KEYS[name][1]
    check_grads(lambda a, v: np.sin(write(verb, key)(a * a, np.exp(v))), *operands(name), compiled=False)


@EACH
@VERBS
def test_gradients_in_the_code_are_those_of_the_tape(name, verb):
    (a, v), key = operands(name), KEYS[name][1]

    def loss(a, v):
        return np.sum(np.sin(write(verb, key)(a * a, v)) * np.arange(1.0, a.size + 1).reshape(a.shape))

    kernel = gg.grad(loss, argnums=(0, 1)).kernel(a, v)
    for x, y in zip(plain_python.run(kernel, [a, v]), gg.tape.grad(loss, argnums=(0, 1))(a, v), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("axes", [(0, None), (None, 0), (0, 0)])
@pytest.mark.parametrize("name", ["a place", "backwards", "an index that repeats", "columns that repeat", "pairs"])
@VERBS
def test_a_batch_of_writes_is_each_write(name, verb, axes):
    (a, v), key = operands(name), KEYS[name][1]
    given = [np.stack([x, -x, 2 * x]) if axis == 0 else x for x, axis in zip((a, v), axes, strict=True)]
    found = interpret(gg.vmap(write(verb, key), in_axes=axes))(*given)
    for k in range(3):
        a_k, v_k = (x[k] if axis == 0 else x for x, axis in zip(given, axes, strict=True))
        np.testing.assert_array_equal(found[k], numpys(verb, a_k, key, v_k))


@pytest.mark.parametrize("axes", [(None, None, 0), (0, None, 0), (None, 0, 0)])
@VERBS
def test_a_batch_of_indices_writes_each_in_its_own_array(verb, axes):
    index = np.array([[0, 1, 1], [3, -1, 3]])
    v = np.array([1.0, 2.0, 3.0])
    given = [np.stack([x, -x]) if axis == 0 else x for x, axis in zip((V, v), axes, strict=False)]
    found = interpret(gg.vmap(lambda a, v, i: write(verb, i)(a, v), in_axes=axes))(*given, index)
    for k in range(2):
        a_k, v_k = (x[k] if axis == 0 else x for x, axis in zip(given, axes, strict=False))
        np.testing.assert_array_equal(found[k], numpys(verb, a_k, index[k], v_k))


def test_of_values_put_at_one_place_the_last_counts():
    index, weights = np.array([1, 1, 3, 1]), np.array([1.0, 10, 100, 1000, 10000])

    def loss(a, v):
        return np.sum(weights * At(a)[index].set(v))

    for run in (interpret, lambda f: lambda *args: plain_python.run(f.kernel(*args), args)):
        g_a, g_v = run(gg.grad(loss, argnums=(0, 1)))(V, np.ones(4))
        np.testing.assert_array_equal(g_a, [1, 0, 100, 0, 10000])
        np.testing.assert_array_equal(g_v, [0, 0, 1000, 10])


def test_of_rows_put_at_one_place_the_last_counts_whole():
    g = interpret(gg.grad(lambda v: np.sum(np.array([[1.0], [2], [3], [4]]) * At(M)[np.array([2, 0, 2])].set(v))))
    np.testing.assert_array_equal(g(np.ones((3, 3))), [[0, 0, 0], [1, 1, 1], [3, 3, 3]])


def test_what_is_added_at_one_place_counts_every_time():
    g = interpret(gg.grad(lambda v: np.sum(At(V)[np.array([1, 1])].add(v) ** 2) / 2))
    total = V[1] + 3
    np.testing.assert_allclose(g(np.array([1.0, 2.0])), [total, total])


@pytest.mark.parametrize(
    "op", [updates.put, updates.put_add, updates.index_put, updates.index_add], ids=lambda o: o.name
)
def test_evaluation_leaves_the_old_array_alone(op):
    old = np.zeros(3)
    if op.name.startswith("put"):
        new = op.eval(old, np.ones(2), starts=(1,), steps=(1,))
    else:
        new = op.eval(old, np.ones(2), np.array([1, 2]), axis=0)
    assert old.tolist() == [0, 0, 0]
    assert new.tolist() == [0, 1, 1]


def test_the_value_takes_the_dtype_of_the_array():
    whole = interpret(lambda a, v: At(a)[1].set(v))(np.arange(3), 2.9)
    assert whole.dtype == np.int64
    assert whole.tolist() == [0, 2, 2]
