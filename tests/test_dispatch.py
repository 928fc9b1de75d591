"""Which kernel serves a call: sizes as numbers first, as symbols where they vary, guarded where the code asked."""

import numpy as np
import pytest

import gradgen as gg
from gradgen.errors import ArgumentError, DTypeError, ShapeError
from gradgen.testing import interpret

SIZES = (5, 7, 3, 1, 0, 2, 6, 8)


def half(x):
    return np.concatenate([x[: x.shape[0] // 2], x[: x.shape[0] // 2]])


def even_or_odd(x):
    return x * 2 if x.shape[0] % 2 == 0 else x * 3


def short_or_long(x):
    return x[:2] if x.shape[0] > 3 else x


def of_a_size(x):
    return x * 2 if x.shape[0] == 7 else x


def unrolled(x):
    return sum((x[k] * k for k in range(x.shape[0])), 0.0 * np.sum(x))


def by_table(x):
    return x * {3: 1.0, 5: 2.0}.get(x.shape[0], 3.0)


def or_nothing(x):
    return np.sum(x) if x.shape[0] else np.sum(x) + 5.0


FUNCTIONS = {
    "arange of the size": lambda x: np.arange(x.shape[0]) * x,
    "a loop over the size": unrolled,
    "from the sixth": lambda x: x[5:],
    "all but five": lambda x: x[:-5],
    "the last five": lambda x: x[-5:],
    "the first three": lambda x: x[:3] * 2,
    "the first": lambda x: x[0],
    "the fifth": lambda x: x[4],
    "the last but two": lambda x: x[-3],
    "by the size itself": lambda x: x[x.shape[0] - 1],
    "half, twice": half,
    "every second": lambda x: x[::2],
    "backwards": lambda x: x[::-1],
    "slices of slices": lambda x: x[2:-2][1:],
    "differences": lambda x: x[1:] - x[:-1],
    "even or odd": even_or_odd,
    "short or long": short_or_long,
    "of one size": of_a_size,
    "the smaller of two": lambda x: x[: min(x.shape[0], 4)],
    "truth of a size": or_nothing,
    "a table by size": by_table,
    "max": lambda x: np.max(x),
    "argmax": lambda x: np.argmax(x),
    "mean": lambda x: np.mean(x),
    "variance": lambda x: np.var(x, ddof=1),
    "product": lambda x: np.prod(x),
    "squeezed": lambda x: np.squeeze(x),
    "in pairs": lambda x: x.reshape(-1, 2),
    "with unit axes": lambda x: x.reshape(x.shape[0], 1),
    "identity": lambda x: np.eye(x.shape[0]) @ x,
    "powers of the size": lambda x: x * x.shape[0] ** 2 / x.size,
    "root of the size": lambda x: x / np.sqrt(x.shape[0] + 1),
    "zeros before": lambda x: np.concatenate([np.zeros(x.shape[0]), x]),
    "length": lambda x: x * len(x),
    "each with each": lambda x: x[:, None] * x[None, :],
    "filled with the size": lambda x: np.full_like(x, x.shape[0]) + np.ones(x.shape),
    "linspace": lambda x: np.linspace(0, 1, x.shape[0]) * x,
    "taken": lambda x: x[np.array([0, 1])],
    "taken in reverse": lambda x: np.take(x, np.arange(x.shape[0])[::-1]),
    "repeated": lambda x: np.broadcast_to(x, (2, x.shape[0])),
    "digits of the size": lambda x: x * len(f"{x.shape[0]:d}"),
    "remainder and quotient": lambda x: x * (sum(divmod(x.shape[0], 3)) - 7),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("sizes", ["auto", "static", "symbolic"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_size_gives_what_numpy_gives_whatever_came_before(name, sizes):
    f = FUNCTIONS[name]
    compiled = interpret(gg.jit(f, sizes=sizes))
    for n in SIZES:
        x = np.random.default_rng(n).normal(size=n)
        try:
            wanted = f(x)
        except (IndexError, ValueError):
            with pytest.raises((IndexError, ValueError)):
                compiled(x)
        else:
            found = compiled(x)
            assert np.asarray(found).dtype == np.asarray(wanted).dtype
            np.testing.assert_allclose(found, wanted, rtol=1e-12)


def kernels(compiled, *calls):
    """The slots of the kernels that serve these calls, in order of building."""
    for args in calls:
        compiled.graph(*args)
    (family,) = compiled._families.values()
    return [tuple(slot.shape for slot in built.slots) for built in family.built]


def test_the_first_sizes_are_numbers_and_a_second_call_makes_symbols_of_what_varies():
    x, y = np.ones((5, 4)), np.ones(4)
    found = kernels(gg.jit(lambda x, y: x * y), (x, y), (x[:3], y), (x[:2], y))
    assert found == [((5, 4), (4,)), (("n", 4), (4,))]


def test_sizes_that_are_always_equal_are_one_symbol():
    found = kernels(gg.jit(lambda x, y: x * y), (np.ones(5), np.ones(5)), (np.ones(3), np.ones(3)))
    assert found[-1] == (("n",), ("n",))


def test_symbols_that_must_agree_become_one():
    f = gg.jit(lambda x, y: x[1:] + y, sizes="symbolic")
    assert kernels(f, (np.ones(5), np.ones(4))) == [((5,), (4,))]
    g = gg.jit(lambda x, y: x + y, sizes="symbolic")
    assert kernels(g, (np.ones(5), np.ones(5))) == [(("n",), ("n",))]


def test_zero_and_one_stay_numbers():
    f = gg.jit(lambda x: x * 2, sizes="symbolic")
    assert kernels(f, (np.ones((1, 5)),), (np.ones((0, 5)),)) == [((1, "n"),), ((0, "n"),)]


def test_a_size_used_as_a_number_gives_one_kernel_per_value():
    f = gg.jit(lambda x: sum(x[k] for k in range(x.shape[0])), sizes="symbolic")
    assert kernels(f, (np.ones(3),), (np.ones(4),), (np.ones(3),)) == [((3,),), ((4,),)]


def test_a_question_about_a_size_gives_one_kernel_per_answer():
    f = gg.jit(short_or_long, sizes="symbolic")
    assert kernels(f, (np.ones(5),), (np.ones(9),), (np.ones(2),), (np.ones(3),)) == [(("n",),), (("n",),)]


def test_static_sizes_stay_numbers():
    f = gg.jit(lambda x: x * 2, sizes="static")
    assert kernels(f, (np.ones(3),), (np.ones(4),), (np.ones(5),)) == [((3,),), ((4,),), ((5,),)]


def test_a_signature_names_sizes_up_front():
    f = gg.jit(lambda x, y: x @ y, signature=("f64[n,4]", "f64[4]"))
    assert kernels(f, (np.ones((3, 4)), np.ones(4)), (np.ones((5, 4)), np.ones(4))) == [(("n", 4), (4,))]


@pytest.mark.parametrize(
    ("signature", "args", "kind", "said"),
    [
        (("f64[n]", "f64[n]"), (np.ones(3), np.ones(4)), ShapeError, "size n is 3"),
        (("f64[n]", "f64[m]"), (np.ones(3), np.ones((4, 1))), ShapeError, r"f64\[4,1\]"),
        (("f32[n]", "f64[n]"), (np.ones(3), np.ones(3)), DTypeError, r"f64\[3\]"),
        (("f64[n]",), (np.ones(3), np.ones(3)), ArgumentError, "2 leaves"),
        (("f65[n]", "f64[n]"), (np.ones(3), np.ones(3)), ArgumentError, "not a type"),
    ],
)
def test_a_call_that_does_not_fit_the_signature_is_refused(signature, args, kind, said):
    with pytest.raises(kind, match=said):
        gg.jit(lambda x, y: x[0] * y[0], signature=signature)(*args)


def test_sizes_that_a_signature_leaves_open_must_be_declared_to_broadcast():
    f = gg.jit(lambda x, y: x + y, signature=("f64[n]", "f64[m]"))
    found = interpret(f)(np.ones(3), np.ones(3))  # the call says that they agree
    np.testing.assert_array_equal(found, np.full(3, 2.0))


@pytest.mark.numba
def test_a_compiled_symbolic_kernel_checks_its_guards():
    f = gg.jit(lambda x: x[-3:] * 2.0, sizes="symbolic")
    kernel = f.kernel(np.arange(5.0))
    np.testing.assert_array_equal(kernel.njit(np.arange(4.0)), [2.0, 4.0, 6.0])
    with pytest.raises(ValueError, match="compiled for"):
        kernel.njit(np.arange(2.0))
