from collections import namedtuple

import numpy as np
import pytest
from numba import njit

from tests.runtime.stand_in import Formula

pytestmark = pytest.mark.numba
X = np.arange(12.0).reshape(3, 4)


@pytest.fixture(autouse=True, scope="module")
def home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADGEN_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


def frozen(array):
    array = array.copy(order="K")
    array.flags.writeable = False
    return array


def test_arrays_of_every_layout_go_to_one_kernel():
    f = Formula("x", "x * 2.0")

    @njit
    def user(x):
        return f(x)

    stride_zero = np.broadcast_to(np.float64(2), (3, 2))
    for x in (X, X.T, X[::2, 1:], X[::-1], stride_zero, frozen(X), frozen(X.T), X[:0]):
        np.testing.assert_array_equal(user(x), 2 * x)
    assert len(f.kernel().overloads) == 1


def test_a_field_of_a_record_array_is_copied():
    f = Formula("x", "x * 4.0")

    @njit
    def user(records):
        return f(records.b)

    records = np.zeros(3, np.dtype([("a", "i1"), ("b", "f8")]))
    records["b"] = np.arange(3.0)
    assert user(records).tolist() == [0.0, 4.0, 8.0]
    assert [kind.layout + str(kind.aligned) for (kind,) in f.kernel().overloads] == ["CTrue"]


def test_a_read_only_array_is_not_copied():
    f = Formula("x", "x.ctypes.data")

    @njit
    def user(x):
        return f(x)

    x = frozen(X)
    assert user(x) == x.ctypes.data


def test_an_array_of_rank_zero_is_passed_as_a_number():
    f = Formula("x, y", "x + y")

    @njit
    def user(x, y):
        return f(x, y)

    assert user(np.array(2.5), frozen(np.array(1))) == 3.5
    assert [(leaf.dtype.name, leaf.ndim) for leaf in f.asked[0]] == [("float64", 0), ("int64", 0)]


def test_leaves_of_tuples_are_passed_in_order():
    f = Formula("a, b, c", "a * 100 + b * 10 + c")

    @njit
    def user(t, c):
        return f(t, c)

    assert user((1, (2,)), (3,)) == 123
    assert user((1, (2, None)), 3.0) == 123.0


def test_results_are_nested_as_the_structure_says():
    Grads = namedtuple("Grads", "w b")
    f = Formula("x", "(x, x + 1, x + 2)", structure=(2, Grads((0,), 1), None))

    @njit
    def user(x):
        return f(x)

    @njit
    def reads_fields(x):
        _, grads, _ = f(x)
        return grads.b - grads.w[0]

    assert user(1.0) == (3.0, Grads((1.0,), 2.0), None)
    assert reads_fields(1.0) == 1.0


def test_a_kernel_that_fits_is_called_without_an_adapter():
    f = Formula("x", "2.0 * x")

    @njit
    def user(x):
        return f(x)

    user(1.0)
    assert set(f._numba_type_._dispatchers.values()) == {f.kernel()}
