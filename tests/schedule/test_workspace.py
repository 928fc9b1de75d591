"""Which temporaries share memory: those that live one after the other, and results written over what is read last."""

import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

import gradgen as gg
from gradgen.schedule.plan import plan
from gradgen.schedule.program import Apply, Buffer, Index, Load, Local, Loop, Store, Update, variable
from gradgen.schedule.separate import separate
from gradgen.schedule.workspace import in_step
from tests import plain_python

F64 = np.dtype(np.float64)
RNG = np.random.default_rng(0)
SQUARE = RNG.normal(size=(16, 16))
R, C = variable("i"), variable("j")
OLD, NEW = (Buffer(name, F64, (16, 16), "temp") for name in ("old", "new"))


def offsets(f, *args, **options):
    """The offsets of the temporaries; the code must compute what f does."""
    made = gg.jit(f, **options)
    (found,) = plain_python.run(made.kernel(*args), list(args))
    np.testing.assert_allclose(found, f(*args), rtol=1e-12)
    return list(plan(separate(made.graph(*args)), None).offsets.values())


@pytest.mark.parametrize("options", [{}, {"sizes": "symbolic"}], ids=["static", "symbolic"])
def test_an_elementwise_result_lies_over_a_product_that_is_read_for_the_last_time(options):
    assert len(set(map(str, offsets(lambda a, b: np.tanh(a @ b) @ b, SQUARE, SQUARE, **options)))) == 1


@pytest.mark.parametrize("f", [
    lambda a, b: np.tanh(a @ b).T @ b + 1, lambda a, b: np.tanh((a @ b)[::-1]) @ b, lambda a, b: np.tanh((a @ b).T) @ b,
    lambda a, b: (lambda p: np.tanh(p) @ p)(a @ b), lambda a, b: (lambda p: (p - p.sum(axis=0)) @ b)(a @ b),
    lambda a, b: (lambda p: np.tanh(p * p[0]) @ b)(a @ b), lambda a, b: (lambda p: np.exp(p - p.max(1)[:, None]) @ b)(a @ b),
], ids=["read transposed", "reversed", "transposed", "read later", "summed before", "row", "softmax"])  # fmt: skip
def test_whatever_shares_memory_the_result_is_right(f):
    offsets(f, SQUARE, SQUARE)
    offsets(f, SQUARE, SQUARE, sizes="symbolic")


def test_what_is_read_in_another_order_keeps_its_memory():
    for f in (lambda a, b: np.tanh((a @ b)[::-1]) @ b, lambda a, b: np.tanh((a @ b).T) @ b):
        assert len(set(offsets(f, SQUARE, SQUARE))) == 2


def test_two_results_do_not_lie_over_the_same_operand():
    def f(a, b):
        p = a @ b
        return np.tanh(p) @ np.exp(p)

    assert len(set(offsets(f, SQUARE, SQUARE))) == 2


@st.composite
def sizes_mixed(draw):
    """A function of x, whose sizes are symbols, that has products of matrices of known sizes too; as text."""
    chosen = random.Random(draw(st.integers(0, 2**32)))
    known = {"x": ["x"], "c8": ["c8"], "c4": ["c4"]}
    lines = ["    r = x[0, 0]"]
    for k in range(draw(st.integers(2, 9))):
        kind = chosen.choice(list(known))
        a, b = chosen.choice(known[kind]), chosen.choice(known[kind])
        form = chosen.choice(["({a} * r) @ {b}", "np.tanh({a} @ {b})", "{a} @ {b} * r + {a}", "np.tanh({a}) @ {b}.T"])
        lines += [f"    v{k} = {form.format(a=a, b=b)}", f"    r = np.sin(np.sum(v{k}) + v{k}[0, 0])"]
        known[kind].append(f"v{k}")
    found = " + ".join(f"np.sum({v})" for values in known.values() for v in values)
    return "\n".join(["def f(x):", *lines, f"    return r + {found}"])


@settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(sizes_mixed())
def test_known_sizes_among_symbols_share_no_memory_that_is_live(text):
    note(text)
    space: dict = {"np": np, "c8": SQUARE[:8, :8], "c4": SQUARE[8:12, 8:12]}
    exec(text, space)
    offsets(space["f"], SQUARE[:5, :5], sizes="symbolic")


def test_a_small_array_does_not_lie_within_a_large_one():
    c8, c4 = SQUARE[:8, :8], SQUARE[8:12, 8:12]

    def f(x):
        s0 = np.sum((c8 * x[0, 0]) @ c8)
        q = (c4 * s0) @ c4
        s1 = np.sum(np.tanh((x * q[0, 0]) @ x))
        s2 = np.sum(np.tanh((c8 * s1) @ c8))
        return q @ (c4 * s2)

    offsets(f, SQUARE[:5, :5], sizes="symbolic")


# in_step


def value(*index, buffer=OLD):
    return Load(buffer, index, F64)


def store(*index, expr, buffer=NEW):
    return Store(buffer, index, expr)


def nest(*body, outer=(), after=()):
    return Loop("i", 16, [*outer, Loop("j", 16, [*body]), *after])


HELD = [
    nest(store(R, C, expr=value(R, C))),
    nest(store(C, R, expr=value(C, R))),
    nest(
        store(R, C, expr=value(R, C)),
        store(R, C, expr=value(R, C, buffer=NEW), buffer=Buffer("x", F64, (16, 16), "temp")),
    ),
    Loop("i", 16, [store(R, Index(3), expr=value(R, Index(3)))]),
    nest(Update(NEW, (R, C), "{acc} + {x}", value(R, C))),
]
BROKEN = {
    "other index": nest(store(R, C, expr=value(C, R))),
    "shifted": nest(store(R, C, expr=value(R + 1, C))),
    "read after": nest(store(R, C, expr=Local("v", F64)), store(R, C, expr=value(R, C))),
    "read in two loops": nest(store(R, C, expr=value(R, C)), after=[Loop("j", 16, [store(R, C, expr=value(R, C))])]),
    "again in each step": Loop("i", 16, [store(Index(), Index(), expr=value(Index(), Index()))]),
    "again in each step of an inner loop": nest(store(R, Index(), expr=value(R, Index()))),
    "not a single variable": nest(store(R + C, C * 2, expr=value(R + C, C * 2))),
    "under another name": nest(store(R, C, expr=value(R * 16 + C, buffer=Buffer("flat", F64, (256,), "temp", OLD)))),
    "under both names": nest(
        store(R, C, expr=Apply(None, (value(R, C), value(R * 16 + C, buffer=Buffer("flat", F64, (256,), "temp", OLD))), F64))
    ),
}  # fmt: skip


@pytest.mark.parametrize("loop", HELD)
def test_one_index_that_tells_all_steps_apart_is_in_step(loop):
    assert in_step(loop, OLD, NEW)


@pytest.mark.parametrize("name", BROKEN)
def test_any_other_use_is_not_in_step(name):
    assert not in_step(BROKEN[name], OLD, NEW)


def test_arrays_of_other_shapes_are_not_in_step():
    assert not in_step(Loop("i", 16, [store(R, expr=value(R, C), buffer=Buffer("row", F64, (16,), "temp"))]), OLD,
                       Buffer("row", F64, (16,), "temp"))  # fmt: skip
