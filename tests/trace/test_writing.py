"""Assignment into arrays of a trace, against NumPy itself: the same function run on arrays and from its graph."""

import numpy as np
import pytest

import gradgen as gg
from gradgen.testing import interpret

V, M, T = np.arange(1.0, 7.0), np.arange(1.0, 13.0).reshape(3, 4), np.arange(24.0).reshape(2, 3, 4)
K, J = np.array([0, 2, 1]), np.array([3, 0, -1])
KEYS = [
    (V, 0), (V, -1), (V, 5), (V, -6), (V, np.s_[:]), (V, ...), (V, np.s_[2:4]), (V, np.s_[-3:]), (V, np.s_[:-4]),
    (V, np.s_[::2]), (V, np.s_[1::3]), (V, np.s_[::-1]), (V, np.s_[4:1:-2]), (V, np.s_[10:]), (V, np.s_[4:2]),
    (V, np.s_[2:100]), (V, np.s_[-100:2]), (V, None), (V, np.s_[None, 1:3]), (V, K), (V, [4, 0]), (V, np.array([1, 1, 3])),
    (V, np.array([-1, 0])), (V, np.array([[0, 1], [2, 5]])), (V, np.array([], int)), (V, V > 2), (V, np.int32(3)),
    (V, np.array(2)), (M, 1), (M, np.s_[1, 2]), (M, np.s_[-1, -1]), (M, np.s_[:, 1]), (M, np.s_[1:, ::2]),
    (M, np.s_[::-1, ::-2]), (M, np.s_[..., 0]), (M, np.s_[0, ...]), (M, np.s_[:, None, 1]), (M, K), (M, np.s_[K, J]),
    (M, np.s_[1, J]), (M, np.s_[K, 2]), (M, np.s_[:, J]), (M, np.s_[1:, J]), (M, np.s_[K, 1:3]), (M, np.s_[K[:, None], J[:2]]),
    (M, np.s_[K, ::-1]), (M, M > 4), (M, np.array([True, False, True])), (M, np.s_[:, np.array([True, False, True, True])]),
    (T, np.s_[1, :, 2]), (T, np.s_[:, 1]), (T, np.s_[..., ::-1]), (T, np.s_[0, K]), (T, np.s_[:, K, J]), (T, np.s_[1, :, J]),
    (T, np.s_[:, 1, J]), (T, np.s_[0, 1:, 3]), (T, (slice(None), slice(None), K)), (T, np.s_[1, 2, -1]),
]  # fmt: skip
EACH = pytest.mark.parametrize(("array", "key"), KEYS, ids=[f"{a.ndim}-D {k}" for a, k in KEYS])


def agrees(f, *args):
    """f run on arrays and from its graph: f copies what it writes to."""
    wanted, found = f(*args), interpret(f)(*args)
    wanted, found = (x if isinstance(x, tuple) else (x,) for x in (wanted, found))
    for x, y in zip(found, wanted, strict=True):
        assert np.asarray(x).dtype == np.asarray(y).dtype
        np.testing.assert_array_equal(x, y)


def assigned(key, a, v):
    a = a * 1
    a[key] = v
    return a


def added(key, a, v):
    a = a * 1
    a[key] += v
    return a


@EACH
def test_a_number_is_assigned_as_in_numpy(array, key):
    agrees(lambda a, v: assigned(key, a, v), array, -7.5)


@EACH
def test_an_array_is_assigned_as_in_numpy(array, key):
    agrees(
        lambda a, v: assigned(key, a, v),
        array,
        -np.arange(1.0, 1.0 + np.size(array[key])).reshape(np.shape(array[key])),
    )


@EACH
def test_augmented_assignment_is_numpys(array, key):
    agrees(lambda a, v: added(key, a, v), array, 0.5)


@pytest.mark.parametrize(("key", "shape"), [
    (np.s_[:], (4,)), (np.s_[:], (3, 1)), (np.s_[:], (1, 1)), (np.s_[:], (1, 3, 4)), (1, (1,)), (1, (1, 4)), (np.s_[:, 1], (1, 3)),
    (np.s_[1:, :2], (2,)), (K, (4,)), (np.s_[K, J], (1,)), (np.s_[:, J], (3, 1)),
])  # fmt: skip
def test_values_are_broadcast_and_leading_unit_axes_dropped(key, shape):
    agrees(lambda a, v: assigned(key, a, v), M, np.arange(1.0, 1.0 + np.prod(shape)).reshape(shape))


@pytest.mark.parametrize("key", [
    lambda i, j: i, lambda i, j: -i, lambda i, j: (i, j), lambda i, j: (slice(None), j), lambda i, j: (i, slice(1, None)),
    lambda i, j: (i, slice(None, None, -2)), lambda i, j: (..., i), lambda i, j: (0, j), lambda i, j: (i, -1),
    lambda i, j: (K, j), lambda i, j: (i, J), lambda i, j: (i - 1, None), lambda i, j: (slice(1, None), i),
])  # fmt: skip
def test_integers_that_are_traced_are_places(key):
    agrees(lambda a, v, i, j: assigned(key(i, j), a, v), M, 9.5, 1, 3)
    agrees(lambda a, v, i, j: added(key(i, j), a, v), M, 9.5, 2, -2)


@pytest.mark.parametrize("key", [
    lambda i, j: i, lambda i, j: (i, j), lambda i, j: (slice(None), j), lambda i, j: (1, j), lambda i, j: (i, slice(None, 2)),
    lambda i, j: i[:, None], lambda i, j: (i[:2, None], j),
])  # fmt: skip
@pytest.mark.parametrize("indices", [(K, J), (np.array([1, 1, 1]), np.array([2, 2, 0]))])
def test_arrays_of_integers_that_are_traced_are_places(key, indices):
    agrees(lambda a, v, i, j: assigned(key(i, j), a, v), M, 9.5, *indices)
    agrees(lambda a, v, i, j: added(key(i, j), a, v), M, 9.5, *indices)


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
@pytest.mark.parametrize("value", [2.75, 3, True])
def test_the_array_keeps_its_dtype(dtype, value):
    a = np.array([0, 1, 1], dtype)

    def f(a, v):
        a = np.where(a == 1, a, a)
        a[1] = v
        return a

    agrees(f, a, value)


def test_writes_follow_one_another_and_reads_see_those_before():
    def f(a, v):
        a = a * 1
        first = a[0] + 0
        a[0] = a[1] * v
        second = a[0] * 10
        a[1:3] = second
        a[::2] += a[0]
        return a, first, second, np.sum(a)

    agrees(f, V, 2.0)


def test_an_element_that_was_read_is_a_copy():
    def f(a):
        a = a * 1
        x, y = a[0], a[-1]
        a[0], a[-1] = y, x
        return a, x, y

    agrees(f, V)


@pytest.mark.parametrize(("to", "of"), [
    (np.s_[1:], np.s_[:-1]), (np.s_[:-1], np.s_[1:]), (np.s_[:], np.s_[::-1]), (np.s_[::2], np.s_[1::2]), (np.array([0, 1]), np.array([1, 0])),
])  # fmt: skip
def test_parts_that_overlap_are_read_before_they_are_written(to, of):
    def f(a):
        a = a * 1
        a[to] = a[of]
        return a

    agrees(f, V)


def test_two_names_of_one_array_see_each_others_writes():
    def f(a):
        a = a * 1
        b, c = a, a[:]
        a[0] = 9
        b[1] = 8
        c[2] = 7
        return a, b, c

    agrees(f, V)


@pytest.mark.parametrize("copy", [lambda a: a.copy(), np.copy, np.positive, lambda a: a.astype(float), lambda a: a + 0,
                                  lambda a: a[K], lambda a: np.concatenate([a, a])], ids=str)  # fmt: skip
def test_a_copy_goes_its_own_way(copy):
    def f(a):
        a = a * 1
        b = copy(a)
        a[0] = 9
        b[1] = 8
        return a, b

    agrees(f, V)


def test_a_copy_of_an_argument_can_be_written_to():
    def f(a):
        b = a.copy()
        b[0] = 9
        return a, b

    agrees(f, V)


@pytest.mark.parametrize(
    "join", [lambda a: np.concatenate([a]), lambda a: np.sum(a, axis=()), lambda a: np.max(a, axis=())]
)
def test_a_join_or_a_reduction_that_changes_nothing_is_a_copy_too(join):
    test_a_copy_goes_its_own_way(join)


@pytest.mark.parametrize("make", [np.zeros_like, np.ones_like, lambda x: np.full_like(x, 3)])
def test_arrays_like_a_traced_one_can_be_filled(make):
    def f(x):
        out = make(x)
        for k in range(x.shape[0]):
            out[k] = x[k] * k
        return out

    agrees(f, V)


def test_a_carry_can_be_written_to_in_a_body_and_its_own_array_after_the_loop():
    def f(a):
        def body(i, c):
            c, total = c
            c[i] = c[i - 1] + total
            c[i] *= 2
            return c, total + c[i]

        a, total = gg.fori_loop(0, 5, body, (a, 0.0))
        a[0] = total
        return a

    agrees(f, V)


def test_arrays_made_in_a_body_can_be_written_to():
    def f(a):
        def body(c, x):
            out = c * x
            out[1:] = out[:-1]
            return out, out[0]

        return gg.scan(body, a, a)

    agrees(f, V)


def test_gradients_pass_what_was_overwritten_by():
    def f(a, v):
        a = a * 1
        a[0] = v
        a[1] = a[0] * a[2]
        a[3] += a[1]
        return np.sum(a * a)

    for x, y in zip(
        interpret(gg.grad(f, argnums=(0, 1)))(V, 2.0), gg.tape.grad(written, argnums=(0, 1))(V, 2.0), strict=True
    ):
        np.testing.assert_allclose(x, y)


def written(a, v):
    """The same without an assignment."""
    second = v * a[2]
    return v * v + second**2 + a[2] ** 2 + (a[3] + second) ** 2 + a[4] ** 2 + a[5] ** 2


def test_a_view_that_was_used_before_the_write_did_its_work():
    def f(a):
        a = a * 1
        v = a[1:]
        total = np.sum(v)
        a[0] = total
        return a, a[1:]

    agrees(f, V)
