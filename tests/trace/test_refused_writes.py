"""Writes that are refused: into what is not the trace's own, through views, at places and of shapes that are not there."""

import numpy as np
import pytest

import gradgen as gg
from gradgen.errors import GradgenError, MutationError, ShapeError, TraceError
from gradgen.testing import interpret
from tests import plain_python

V, M, K = np.arange(1.0, 7.0), np.arange(1.0, 13.0).reshape(3, 4), np.array([0, 2, 1])


def assigned(key, a, v):
    a = a * 1
    a[key] = v
    return a


def refused(f, match, *args, kind=MutationError):
    with pytest.raises(kind, match=match):
        gg.jit(f).graph(*args)


def into(make):
    def f(a):
        target = make(a)
        target[0] = 1.0
        return target

    return f


def test_an_argument_is_not_written_to():
    refused(into(lambda a: a), "argument", V)
    refused(into(lambda p: p["a"]), "argument", {"a": V})
    refused(into(lambda a: a[:]), "argument", V)


@pytest.mark.parametrize("view", [lambda a: a[1:], lambda a: a[0], lambda a: a.T, np.ravel, np.flip, lambda a: a[::-1][1:],
                                  lambda a: np.expand_dims(a, 0), lambda a: a.reshape(-1), lambda a: np.swapaxes(a, 0, 1)])  # fmt: skip
def test_a_view_is_not_written_to_and_is_stale_after_a_write(view):
    def stale(a):
        a = a * 1
        v = view(a)
        a[0] = 1.0
        return np.sum(v)

    refused(into(lambda a: view(a * 1)), "a view", M)
    refused(stale, "written to since", M)


def test_views_broadcast_are_stale_too():
    def stale(a):
        a = a * 1
        v = np.broadcast_to(a, (2, 6))
        a[0] = 1.0
        return np.sum(v)

    refused(stale, "written to since", V)


def test_an_array_from_outside_of_a_body_is_not_written_to():
    def loops(verb):
        def f(a):
            a = a * 1

            def body(i, c):
                a[0] = c
                return c + 1

            return verb(body, a)

        return f

    refused(loops(lambda body, a: gg.fori_loop(0, 3, body, 0.0)), "outside of the body", V)
    refused(loops(lambda body, a: gg.scan(lambda c, x: (body(0, c), None), 0.0, a)), "outside of the body", V)
    refused(loops(lambda body, a: gg.while_loop(lambda c: c < 3, lambda c: body(0, c), 0.0)), "outside of the body", V)
    refused(loops(lambda body, a: gg.cond(a[0] > 0, lambda: body(0, a[1]), lambda: a[0])), "outside of the body", V)


def test_a_row_of_xs_is_not_written_to():
    def f(m):
        def body(c, x):
            x[0] = c
            return c + x[1], None

        return gg.scan(body, 0.0, m)[0]

    refused(f, "argument", M)


def test_an_array_of_a_body_does_not_leave_it():
    def f(a):
        kept = []

        def body(i, c):
            kept.append(c * 2)
            return c + 1

        gg.fori_loop(0, 3, body, a)
        kept[0][0] = 1.0
        return np.sum(kept[0])

    refused(f, None, V, kind=(MutationError, TraceError))


def test_a_traced_value_in_an_array_of_numpy_is_refused():
    def f(x):
        a = np.zeros(3)
        a[0] = x
        return a

    refused(f, None, 1.0, kind=GradgenError)


@pytest.mark.parametrize("key", [6, -7, (0, 0), np.ones(5, bool)], ids=str)
def test_places_that_are_not_there_are_refused(key):
    refused(lambda a: assigned(key, a, 1.0), None, V, kind=(GradgenError, IndexError))


@pytest.mark.parametrize("run", [interpret, lambda f: lambda *args: plain_python.run(gg.jit(f).kernel(*args), args)])
@pytest.mark.parametrize("index", [[0, 6], [-7, 0]])
def test_integers_beyond_the_end_are_refused_when_they_are_met(run, index):
    with pytest.raises(IndexError):
        run(lambda a, i: assigned(i, a, 1.0))(V, np.array(index))
    with pytest.raises(IndexError):
        run(lambda a: assigned(np.array(index), a, 1.0))(V)


@pytest.mark.parametrize(("key", "shape"), [
    (np.s_[:], (4,)), (np.s_[1:3], (3,)), (K, (2,)), (0, (2,)), (np.s_[:2], (3, 2)),
])  # fmt: skip
def test_values_of_another_shape_are_refused(key, shape):
    refused(lambda a, v: assigned(key, a, v), None, V, np.ones(shape), kind=ShapeError)


def test_errors_name_the_line_of_the_assignment():
    with pytest.raises(MutationError, match=r"test_refused_writes\.py:\d+") as caught:
        gg.jit(into(lambda a: a)).graph(V)
    assert "target[0] = 1.0" in str(caught.value)
