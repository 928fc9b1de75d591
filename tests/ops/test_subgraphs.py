"""What closing a sub-graph takes along and what it leaves outside, and that writing it out again gives it back."""

import numpy as np
import pytest

from gradgen.ir.check import check
from gradgen.ir.graph import Builder
from gradgen.ir.types import parse_type
from gradgen.ops.evaluation import evaluate
from gradgen.ops.subgraphs import close, inline
from gradgen.trace.tracer import fresh_input


class Traced:
    """Inputs of a builder by name: x, a vector of 3; w, a matrix; b, a number; k, integers."""

    def __init__(self):
        self.builder = Builder()
        for name, text in {"x": "f64[3]", "w": "f64[3,3]", "b": "f64", "k": "i64[3]"}.items():
            tracer = fresh_input(self.builder, parse_type(text))
            tracer.node.label = name
            setattr(self, name, tracer)


def closed(t, output, since=None):
    graph, outside = close([t.x.node], [output.node], "body", since)
    return check(graph), outside


def ops(nodes):
    return sorted(n.op.name for n in nodes if n.op.name not in ("input", "constant", "broadcast_to"))


def test_work_that_does_not_depend_on_the_inputs_stays_outside():
    t = Traced()
    work = np.exp(t.b)
    body, outside = closed(t, t.x * work + t.b)
    assert set(outside) == {work.node, t.b.node}
    assert ops(body.nodes) == ["add", "multiply"]


def test_numbers_and_positions_come_along():
    t = Traced()
    order = t.x.__gradgen_iota__(3)
    body, outside = closed(t, t.x * 2.0 + np.sin(order) * np.exp(t.x[0]))
    assert outside == []
    assert {"iota", "sin"} <= set(ops(body.nodes))


def test_views_come_along_and_what_they_are_views_of_stays():
    t = Traced()
    body, outside = closed(t, t.x @ t.w.T)
    assert outside == [t.w.node]
    assert "transpose" in ops(body.nodes)


def test_reads_at_an_index_come_along_for_they_may_fail():
    t = Traced()
    body, outside = closed(t, t.x * t.w[0][t.k])
    assert set(outside) == {t.w.node, t.k.node}
    assert "take" in ops(body.nodes)


def test_arrays_of_constants_stay_outside():
    t = Traced()
    body, outside = closed(t, t.x + np.array([1.0, 2.0, 4.0]))
    assert [n.op.name for n in outside] == ["constant"]
    assert ops(body.nodes) == ["add"]


def test_what_is_younger_comes_along_whatever_it_costs():
    t = Traced()
    old = np.exp(t.b)
    since = t.builder.fresh()
    young = np.sin(t.b)
    body, outside = closed(t, t.x * old * young, since)
    assert outside == [t.b.node, old.node]
    assert "sin" in ops(body.nodes)
    assert "exp" not in ops(body.nodes)


def test_an_input_may_be_an_output_and_another_unused():
    t = Traced()
    body, outside = close([t.x.node, t.b.node], [t.x.node, t.x.node], "body")
    assert outside == []
    assert body.outputs == (body.inputs[0], body.inputs[0])
    assert len(body.inputs) == 2


def test_inputs_keep_their_names():
    t = Traced()
    body, _ = closed(t, t.x * t.b)
    assert body.input_names == ("x", "b")
    assert str(body).startswith("body(x: f64[3], b: f64[])")


@pytest.mark.parametrize("output", [
    lambda t: np.sin(t.x) * np.exp(t.b) + t.w[1], lambda t: (t.w @ t.x)[t.k] + np.arange(3), lambda t: t.x,
])  # fmt: skip
def test_written_out_again_it_is_the_same_value(output):
    t = Traced()
    out = output(t)
    body, outside = closed(t, out)
    assert inline(t.builder, body, [t.x.node, *outside]) == [out.node]


def test_written_out_with_other_values_it_computes_with_them():
    t = Traced()
    body, outside = closed(t, np.sin(t.x) * t.b)
    (made,) = inline(t.builder, body, [(t.x * 2.0).node, *outside])
    graph = close([t.x.node, t.b.node], [made], "all")[0]
    (found,) = evaluate(graph, [np.arange(3.0), 0.5])
    np.testing.assert_allclose(found, np.sin(2 * np.arange(3.0)) * 0.5)
