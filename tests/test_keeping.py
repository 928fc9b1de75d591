"""vjp, jvp and fit, called anew with one function: compiled once, and never for what it is not."""

import copy
import dataclasses
import functools
import pickle

import numpy as np
import pytest

import gradgen as gg
from gradgen.keeping import NAME

factor = 2.0


def scaled(x):
    return factor * x * x


def through_another(x):
    return scaled(x) + 1


class Model:
    def __init__(self, c):
        self.c = c

    def f(self, x):
        return x * self.c

    def __call__(self, x):
        return x * self.c


@dataclasses.dataclass(frozen=True)
class Frozen:
    c: float

    def __call__(self, x):
        return x * self.c


def slope(f, x=3.0):
    """The derivative by vjp and by jvp, without a compiler."""
    (pushed,) = gg.jvp(f, (x,), (1.0,))[1:]
    assert gg.vjp(f, x)[1](1.0) == (pushed,)
    return pushed


@pytest.fixture(autouse=True)
def reset():
    yield
    globals()["factor"] = 2.0


pytestmark = pytest.mark.numba


def test_methods_of_several_objects_are_several_functions():
    models = [Model(c) for c in (1.0, 2.0, 3.0)]
    assert [slope(m.f) for m in models] == [1.0, 2.0, 3.0]
    assert [slope(m) for m in models] == [1.0, 2.0, 3.0]
    models[0].c = 5.0
    assert slope(models[0].f) == slope(models[0]) == 5.0


def test_objects_are_left_as_they_were():
    model = Model(2.0)
    slope(model)
    assert vars(model) == {"c": 2.0}
    assert pickle.loads(pickle.dumps(model)).c == copy.deepcopy(model).c == 2.0


def test_a_function_that_wraps_another_is_not_the_other():
    slope(scaled)

    @functools.wraps(scaled)
    def wrapped(x):
        return 10 * scaled(x)

    assert slope(wrapped) == 10 * slope(scaled) == 120.0


def test_another_global_is_another_function_also_where_a_function_that_it_calls_has_it():
    assert slope(scaled) == slope(through_another) == 12.0
    globals()["factor"] = 3.0
    assert slope(scaled) == slope(through_another) == 18.0


def test_another_value_in_a_closure_is_another_function():
    c = 1.0

    def f(x):
        return c * x

    assert slope(f) == 1.0
    c = 4.0
    assert slope(f) == 4.0


def test_frozen_objects_keep_their_kernels_and_their_copies_have_none():
    model = Frozen(2.0)
    assert slope(model) == 2.0
    first = vars(model)[NAME].table
    assert slope(model) == 2.0
    assert vars(model)[NAME].table is first
    for other in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert other == model
        object.__setattr__(other, "c", 7.0)
        assert slope(other) == 7.0


def test_the_same_function_is_compiled_once():
    slope(scaled)
    made = [entry[1] for entry in vars(scaled)[NAME].table.values()]
    slope(scaled, 5.0)
    assert [entry[1] for entry in vars(scaled)[NAME].table.values()] == made


def test_fit_sees_another_global():
    data = np.ones((4, 1)), None

    def loss(p, x, y):
        return np.mean((p - factor) ** 2) + 0 * np.sum(x)

    def found():
        return gg.fit(loss, np.array([0.0]), data, gg.optim.gd(0.5), epochs=3, progress=False).params[0]

    assert found() == 2.0
    globals()["factor"] = 5.0
    assert found() == 5.0
