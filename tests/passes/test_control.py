"""Loops and branches carry no more than what is asked of them."""

import numpy as np
import pytest

import gradgen as gg
from gradgen.ir.check import check
from gradgen.ops.control import Parts, branch
from gradgen.ops.evaluation import evaluate
from gradgen.passes.control import trim
from gradgen.testing import interpret
from tests.nodes import everywhere, loops, names

X, XS = np.array([0.3, -0.2]), np.arange(6.0).reshape(3, 2)


def traced(f, *args):
    return gg.jit(f).kernel(*args).stages["trace"]


def trimmed(f, *args):
    """The graph after the pass, which must compute what it did before."""
    old = traced(f, *args)
    new = check(trim(old))
    given = list(args)
    for x, y in zip(evaluate(new, given), evaluate(old, given), strict=True):
        np.testing.assert_array_equal(x, y)
    return new


def only(graph):
    (node,) = loops(graph)
    return Parts(node)


def test_a_carry_that_nobody_reads_goes():
    parts = only(trimmed(lambda x: gg.fori_loop(0, 4, lambda i, c: (np.sin(c[0]), np.exp(c[1])), (x, x))[0], X))
    assert parts.carries == 1
    assert names(parts.body) == ["sin"]


def test_a_carry_that_another_needs_stays():
    parts = only(trimmed(lambda x: gg.fori_loop(0, 4, lambda i, c: (np.sin(c[0]) + c[1], np.exp(c[1])), (x, x))[0], X))
    assert parts.carries == 2


def test_carries_that_only_need_one_another_go_together():
    def f(x):
        return gg.fori_loop(0, 4, lambda i, c: (np.sin(c[0]), c[2] * 2, c[1] + c[0]), (x, x, x))[0]

    assert only(trimmed(f, X)).carries == 1


def test_a_carry_that_the_condition_needs_stays():
    def f(x):
        return gg.while_loop(lambda c: c[1] < 3, lambda c: (np.sin(c[0]), c[1] + 1, c[2] * 2), (x, 0, x))[0]

    parts = only(trimmed(f, X))
    assert parts.carries == 2
    assert len(parts.condition.inputs) == len(parts.body.inputs)


def test_a_carry_that_never_changes_is_a_value_from_outside():
    def f(x, w):
        return gg.fori_loop(0, 4, lambda i, c: (np.sin(c[0]) * c[1], c[1]), (x, w))

    graph = trimmed(f, X, 2.0)
    parts = only(graph)
    assert parts.carries == 1
    assert len(parts.outside) == 1
    assert graph.outputs[1] is graph.inputs[1]


def test_the_history_of_a_carry_that_never_changes_is_that_value_repeated():
    def f(x, w):
        def body(c, _):
            return (np.sin(c[0]) * c[1], c[1]), c[1]

        return gg.scan(body, (x, w), None, length=3)[1]

    np.testing.assert_array_equal(interpret(f)(X, 2.0), [2.0, 2.0, 2.0])
    old = traced(
        gg.grad(lambda x, w: np.sum(gg.fori_loop(0, 4, lambda i, c: (np.sin(c[0]) * c[1], c[1]), (x, w))[0])), X, 2.0
    )
    new = trim(old)
    assert max(Parts(n).carries for n in loops(new)) == 1
    for a, b in zip(evaluate(new, [X, 2.0]), evaluate(old, [X, 2.0]), strict=True):
        np.testing.assert_allclose(a, b)


def test_stacked_results_that_nobody_reads_go_with_their_work():
    def f(x, xs):
        return gg.scan(lambda c, r: (c + r, (np.exp(c), np.sin(c))), x, xs)[1][1]

    parts = only(trimmed(f, X, XS))
    assert parts.stacked == 1
    assert names(parts.body) == ["add", "sin"]


def test_rows_and_operands_that_nobody_reads_go():
    def f(x, xs, w):
        return gg.scan(lambda c, r: (c * 2 + r[0], r[1] * w), x, (xs, xs * w))[0]

    graph = trimmed(f, X, XS, 3.0)
    parts = only(graph)
    assert (parts.rows, len(parts.outside)) == (1, 0)
    assert "multiply" not in names(graph)
    assert len(graph.inputs) == 3


def test_a_loop_that_nobody_reads_goes():
    assert loops(trimmed(lambda x: (gg.fori_loop(0, 4, lambda i, c: np.sin(c), x), x + 1)[1], X)) == []


def test_inner_loops_are_trimmed_and_then_what_they_asked_for():
    def f(x):
        def outer(i, c):
            a, b = c
            a, _ = gg.fori_loop(0, 2, lambda j, d: (np.sin(d[0]), d[1] * 2), (a, b))
            return a, b + 1

        return gg.fori_loop(0, 3, outer, (x, x))[0]

    assert [Parts(n).carries for n in loops(trimmed(f, X))] == [1, 1]


def test_a_loop_that_another_unread_result_asked_for_goes_too():
    def f(x):
        first = gg.fori_loop(0, 4, lambda i, c: np.sin(c), x)
        second = gg.fori_loop(0, 4, lambda i, c: (c[0] * 2, c[1] + first), (x, x))
        return second[0]

    assert len(loops(trimmed(f, X))) == 1


def test_results_and_operands_of_a_branch_that_nobody_reads_go():
    def f(x, y, k):
        return gg.cond(k > 0, lambda x, y: (x * 2, np.exp(y)), lambda x, y: (x + 1, np.sin(y)), x, y)[0]

    graph = trimmed(f, X, X, 1)
    (node,) = [n for n in everywhere(graph) if n.op is branch]
    assert len(node.inputs) == 2
    assert [names(node.attrs[side]) for side in ("then", "otherwise")] == [["multiply"], ["add"]]
    np.testing.assert_array_equal(evaluate(graph, [X, X, -1])[0], X + 1)


def test_a_result_read_twice_is_one():
    graph = trimmed(lambda x: (lambda y: (y, y * y))(gg.fori_loop(0, 4, lambda i, c: np.sin(c), x)), X)
    assert only(graph).carries == 1


def test_number_of_steps_needs_its_loop_but_no_carry_that_nobody_tests():
    def steps(x):
        return gg.while_loop(lambda c: c[1] < 5, lambda c: (np.sin(c[0]), c[1] + 2), (x, 0))[1]

    assert only(trimmed(steps, X)).carries == 1


@pytest.mark.parametrize("f", [lambda x: x * 2, lambda x: gg.fori_loop(0, 4, lambda i, c: np.sin(c) * x, x)])
def test_what_has_nothing_to_lose_stays_as_it_is(f):
    once = trim(traced(f, X))
    assert trim(once).key == once.key
