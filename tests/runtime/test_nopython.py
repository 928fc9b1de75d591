import gc
import pickle
import re
import subprocess
import sys
import threading
import weakref
from collections import namedtuple

import numpy as np
import pytest
from numba import njit, prange, types

from gradgen.errors import ArgumentError, DifferentiationError
from gradgen.runtime import nopython
from tests.runtime.stand_in import Formula

pytestmark = pytest.mark.numba
F8 = nopython.Leaf(np.dtype("float64"), 0)


@pytest.fixture(autouse=True, scope="module")
def home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADGEN_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


def native_body(user):
    """The optimised LLVM code of the function proper, without its wrappers for Python."""
    (text,) = user.inspect_llvm().values()
    name = rf"define [^\n]*@_ZN[^\n(]*{len(user.py_func.__name__)}{user.py_func.__name__}"
    parts = [part for part in re.split(r"\n(?=define )", text) if re.match(name, part)]
    (body,) = [part for part in parts if not re.match(r"define [^\n]*@(_ZN7cpython|cfunc)", part)]
    return body[: body.index("\n}")]


def test_importing_gradgen_does_not_import_numba():
    script = "import sys, gradgen.runtime.cache, gradgen.runtime.module; sys.exit('numba' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True, env={"PYTHONPATH": ":".join(filter(None, sys.path))})


def test_a_function_is_called_in_a_loop_as_it_is():
    f = Formula("x", "2.0 * x")

    @njit
    def simulate(x, n):
        for _ in range(n):
            x = x - 0.1 * f(x)
        return x

    assert simulate(1.0, 10) == pytest.approx(0.8**10)
    assert f.asked == [(F8,)]


def test_no_python_on_the_way_and_a_small_kernel_is_inlined():
    f = Formula("x", "2.0 * x")

    @njit
    def inlined(x, n):
        for _ in range(n):
            x = x - 0.1 * f(x)
        return x

    inlined(1.0, 10)
    body = native_body(inlined)
    assert "fmul" in body
    assert not re.search(r"\bcall\b|\binvoke\b", body)


def test_arrays_are_passed_without_python_too():
    f = Formula("x", "2.0 * x.sum()")

    @njit
    def unboxed(x):
        return f(x)

    assert unboxed(np.ones(3)) == 6.0
    assert not re.search(r"@(Py|_Py|numba_gil|NRT_adapt)", native_body(unboxed))


def test_two_functions_in_one_and_njit_functions_between():
    f, g = Formula("x", "x * x"), Formula("x", "x + 10.0")

    @njit
    def inner(x):
        return f(x) + g(x)

    @njit
    def outer(x):
        return inner(x) * f(x)

    assert outer(3.0) == 22.0 * 9.0


def test_new_types_are_compiled_for():
    f = Formula("x", "x * 2")

    @njit
    def user(x):
        return f(x)

    assert (user(1.5), user(2), user(np.float32(0.5))) == (3.0, 4, 1.0)
    assert user(np.arange(3.0)).tolist() == [0.0, 2.0, 4.0]
    assert [(leaf.dtype.name, leaf.ndim) for (leaf,) in f.asked] == [
        ("float64", 0), ("int64", 0), ("float32", 0), ("float64", 1),
    ]  # fmt: skip


def test_in_a_parallel_loop():
    f = Formula("x", "2.0 * x")

    @njit(parallel=True)
    def user(x):
        out = np.empty_like(x)
        for i in prange(x.size):
            out[i] = f(x[i])
        return out

    np.testing.assert_array_equal(user(np.arange(100.0)), 2 * np.arange(100.0))


def test_threads_may_compile_and_call_at_once():
    f = Formula("x", "3.0 * x")
    got = []

    def work(i):
        @njit(nogil=True)
        def user(x):
            return f(x) + i

        got.append(user(1.0) - i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [3.0] * 4


def test_a_function_can_be_an_argument_and_a_result():
    f, g = Formula("x", "x + 1.0"), Formula("x", "x + 2.0")

    @njit
    def apply(h, x):
        return h(x)

    @njit
    def same(h):
        return h

    assert (apply(f, 1.0), apply(g, 1.0)) == (2.0, 3.0)
    assert same(f) is f


def test_an_error_of_tracing_reaches_the_user_as_it_is():
    f = Formula("x", "x * x", refuse="if")

    @njit
    def inner(x):
        return f(x)

    @njit
    def outer(x):
        return inner(x)

    for user in (inner, outer):
        with pytest.raises(DifferentiationError) as caught:
            user(1.0)
        assert str(caught.value) == "grad of x * x needs floats"
        line = inner.__code__.co_firstlineno + 2
        assert caught.value.__notes__ == [f"  called in @njit code at {__file__}:{line}"]

    g = Formula("x", "x + 1.0")

    @njit
    def later(x):
        return g(x)

    assert later(1.0) == 2.0  # the compiler is none the worse for it


def test_an_integer_that_a_loop_makes_a_float_is_one():
    f = Formula("x", "x * x", refuse="i")

    @njit
    def user(n):
        x = 1
        for _ in range(n):
            x = x - 0.5 * f(x)
        return x

    assert user(2) == 0.375


def test_an_integer_for_good_is_refused_if_the_function_refuses_it():
    f = Formula("x", "x * x", refuse="i")

    @njit
    def inner(n):
        return f(n)

    @njit
    def outer(n):
        return inner(n) + 1

    for user in (inner, outer):
        with pytest.raises(DifferentiationError, match="needs floats"):
            user(3)


def test_an_integer_is_converted_for_a_kernel_with_a_signature_of_floats():
    f = Formula("x", "x / 2", options="'f8(f8)', cache=True")

    @njit
    def user(x):
        return f(x)

    assert (user(3), user(3.0), user(True)) == (1.5, 1.5, 0.5)


def test_keywords_are_put_in_their_places():
    f = Formula("x, y", "x - y", parameter_names=("x", "y"))

    @njit
    def user(a, b):
        return f(y=a, x=b) + f(b, y=a)

    assert user(1.0, 3.0) == 4.0


@pytest.mark.parametrize(("call", "message"), [
    ("f(a, z=a)", "z is no parameter; they are x, y"),
    ("f(a, x=a)", "x is given twice"),
    ("f(y=a)", "x is missing"),
])  # fmt: skip
def test_keywords_that_do_not_fit_are_named(call, message):
    scope = {"f": Formula("x, y", "x - y", parameter_names=("x", "y"))}
    exec(f"def user(a): return {call}", scope)
    with pytest.raises(ArgumentError, match=message):
        njit(scope["user"])(1.0)


def test_static_arguments_are_literals_or_compiled_for_once_per_value():
    f = Formula("x", "x * 2", static_positions=(1, 2), parameter_names=("x", "n", "mode"))

    @njit
    def literal(x):
        return f(x, 3, mode="full")

    @njit
    def by_value(x, n):
        return f(x, n, None)

    @njit
    def outer(x, n):
        return by_value(x, n=n)

    assert (literal(1.0), by_value(1.0, 4), by_value(1.0, 5), outer(1.0, 6)) == (2.0, 2.0, 2.0, 2.0)
    assert f.asked == [(F8, 3, "full"), (F8, 4, None), (F8, 5, None), (F8, 6, None)]


def test_a_static_argument_that_cannot_be_a_literal_is_named():
    f = Formula("x", "x * 2", static_positions=(1,))

    @njit
    def user(x):
        return f(x, x)

    with pytest.raises(ArgumentError, match="argument 1 is static, and has the Numba type float64"):
        user(1.0)


def test_what_is_no_array_number_or_tuple_is_refused_by_name():
    f = Formula("x", "x")

    @njit
    def user(x):
        return f([x])

    with pytest.raises(ArgumentError, match=r"argument 0 has the Numba type list\(float64\)"):
        user(1.0)


def test_trees_of_tuples_keep_their_form():
    Layer = namedtuple("Layer", "w b")
    f = Formula("x, w, b", "x * w + b")
    f32 = nopython.Leaf(np.dtype("float32"), 2)

    @njit
    def user(x, layer):
        return f((x, None), layer)

    assert user(2.0, Layer(np.ones((1, 2), np.float32), 1.0)).tolist() == [[3.0, 3.0]]
    assert f.asked == [((F8, None), Layer(f32, F8))]
    assert type(f.asked[0][1]) is Layer


def test_there_is_one_type_for_each_function():
    f, g = Formula("x", "x"), Formula("x", "x")
    assert f._numba_type_ is f._numba_type_
    assert f._numba_type_ != g._numba_type_


def test_a_type_does_not_keep_its_function_alive():
    f = Formula("x", "x")
    kind, gone = f._numba_type_, weakref.ref(f)
    del f
    gc.collect()
    assert gone() is None
    with pytest.raises(ReferenceError):
        _ = kind.function


def test_a_type_survives_pickling_even_if_its_function_does_not():
    f = Formula("x", "x")
    f.lock = threading.Lock()  # nothing that has one can be pickled
    assert isinstance(pickle.loads(pickle.dumps(f._numba_type_)), types.Opaque)
