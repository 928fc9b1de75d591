"""Loops and branches in a graph: types, places of results, text and back, and what the checker finds in inner graphs."""

import numpy as np
import pytest

import gradgen as gg
from gradgen.errors import GraphError
from gradgen.ir.check import check
from gradgen.ir.graph import Builder, Graph, Node
from gradgen.ir.text import parse, to_text
from gradgen.ir.types import parse_type
from gradgen.ops import REGISTRY
from gradgen.ops.control import Parts, branch, loop, loop_attrs, pick
from gradgen.ops.evaluation import evaluate
from gradgen.ops.leaves import input as input_op


def fixed(x, w):
    return gg.fori_loop(0, 4, lambda i, c: np.tanh(w @ c) + i, x)


def counted(x, n):
    return gg.fori_loop(1, n, lambda i, c: c.at[i % 3].add(c[0] * i), x)


def rows(h, xs):
    def body(h, x):
        h = np.sin(h) + x
        return h, (h * 2, np.sum(h))

    return gg.scan(body, h, xs, reverse=True)


def until(x):
    return gg.while_loop(lambda c: np.sum(c[0]) < 10.0, lambda c: (c[0] * 1.5, c[1] + 1), (x, 0), max_steps=50)


def either(x, k):
    table = np.array([1.0, np.nan, np.inf])
    return gg.cond(k > 1, lambda x: x[::-1] * table, lambda x: np.exp(x), x)


def nested(x, k):
    def outer(i, c):
        inner = gg.while_loop(lambda d: d[1] < i, lambda d: (d[0] * 0.5 + x[0], d[1] + 1), (c, 0))[0]
        return gg.cond(inner[0] > k, lambda c: c - 1, lambda c: gg.fori_loop(0, 2, lambda j, c: c * x, c), inner)

    return gg.fori_loop(0, 3, outer, x)


X = np.array([0.3, -0.2, 0.9])
PROGRAMS = {
    "fixed": (fixed, (X, np.arange(9.0).reshape(3, 3) / 9)), "counted": (counted, (X, 5)),
    "rows": (rows, (X, np.arange(12.0).reshape(4, 3))), "until": (until, (X + 1,)), "either": (either, (X, 2)),
    "nested": (nested, (X, 1)),
}  # fmt: skip
EACH = pytest.mark.parametrize("name", PROGRAMS)


def graph_of(function, args, stage="trace"):
    return gg.jit(function).kernel(*args).stages[stage]


def control(graph, op=loop):
    return next(n for n in graph.nodes if n.op is op)


@EACH
@pytest.mark.parametrize("stage", ["trace", "simplify"])
@pytest.mark.parametrize("verb", ["jit", "grad", "hvp"])
def test_text_with_inner_graphs_parses_back_to_the_same_text(name, stage, verb):
    function, args = PROGRAMS[name]

    def total(x, *others):
        out = function(x, *others)
        while isinstance(out, tuple):
            out = out[0]
        return np.sum(out)

    made = {
        "jit": lambda: gg.jit(function), "grad": lambda: gg.grad(total),
        "hvp": lambda: gg.jit(lambda *xs: gg.jvp(lambda x: gg.grad(total)(x, *xs[1:]), (xs[0],), (np.ones(3),))[1]),
    }[verb]()  # fmt: skip
    graph = check(made.kernel(*args).stages[stage])
    again = parse(to_text(graph), REGISTRY)
    assert to_text(check(again)) == to_text(graph)


@EACH
def test_what_is_parsed_back_computes_the_same(name):
    function, args = PROGRAMS[name]
    graph = graph_of(function, args)
    for x, y in zip(evaluate(parse(to_text(graph), REGISTRY), args), evaluate(graph, args), strict=True):
        np.testing.assert_array_equal(x, y)


@EACH
def test_graphs_made_twice_have_one_key(name):
    function, args = PROGRAMS[name]
    first, second = (graph_of(lambda *xs: function(*xs), args) for _ in range(2))
    assert first is not second
    assert first.key == second.key


def test_inner_graphs_stand_indented_below_their_loop():
    lines = str(graph_of(fixed, PROGRAMS["fixed"][1])).split("\n")
    at = next(k for k, line in enumerate(lines) if " = loop(" in line)
    assert lines[at + 1].startswith("    body(i: i64[], c: f64[3], ")
    assert "    }" in lines[at + 2 :]


def test_results_have_the_places_that_parts_tells():
    node = control(graph_of(rows, PROGRAMS["rows"][1]))
    parts = Parts(node)
    assert (parts.carries, parts.rows, parts.stacked, parts.length, parts.reverse) == (1, 1, 2, 4, True)
    kinds = [str(node.type[k]) for k in (0, parts.stack(0), parts.stack(1), parts.history(0), parts.steps)]
    assert kinds == ["f64[3]", "f64[4,3]", "f64[4]", "f64[4,3]", "i64[]"]
    assert parts.steps == len(node.type) - 1


@pytest.mark.parametrize(("name", "open_"), [("fixed", False), ("rows", False), ("counted", True), ("until", True)])
def test_a_loop_is_open_where_the_run_tells_its_length(name, open_):
    parts = Parts(control(graph_of(*PROGRAMS[name])))
    assert parts.is_open == open_
    assert (parts.count is not None) == (name == "counted")
    assert (parts.condition is not None) == (name == "until")


def test_a_history_is_the_carry_before_each_step():
    graph = graph_of(fixed, PROGRAMS["fixed"][1])
    builder, done = Builder(), {}
    for n in graph.nodes:
        done[n] = builder.add(n.op, [done[i] for i in n.inputs], n.attrs)
    node = done[control(graph)]
    parts = Parts(node)
    outputs = (pick(builder, node, parts.history(0)), pick(builder, node, parts.steps))
    args = PROGRAMS["fixed"][1]
    past, steps = evaluate(check(Graph(tuple(done[n] for n in graph.inputs), outputs)), args)
    x = args[0]
    for i in range(4):
        np.testing.assert_allclose(past[i], x)
        x = np.tanh(args[1] @ x) + i
    assert steps == 4


def body(builder_type="f64", op=None):
    inner = Builder()
    i, c = (inner.add(input_op, (), {"index": k, "type": parse_type(t)}) for k, t in enumerate(("i64", builder_type)))
    return Graph((i, c), (c if op is None else op(inner, i, c),), "body", ("i", "c"))


def over(start: str, graph: Graph):
    builder = Builder()
    x = builder.add(input_op, (), {"index": 0, "type": parse_type(start)})
    return x, builder.add(loop, [x], loop_attrs(graph, 1, 0, 3))


def test_a_loop_whose_carry_has_another_type_than_its_body_takes_is_not_made():
    over("f64", body())
    with pytest.raises(AssertionError):
        over("f32", body())
    with pytest.raises(AssertionError):
        over("f64", body(op=lambda inner, i, c: i))


def test_a_branch_of_different_types_is_not_made():
    sides = {}
    for name, place in (("then", 0), ("otherwise", 1)):
        graph = body()
        sides[name] = Graph(graph.inputs, (graph.inputs[place],), name)
    builder = Builder()
    p, k, x = (
        builder.add(input_op, (), {"index": j, "type": parse_type(t)}) for j, t in enumerate(("bool", "i64", "f64"))
    )
    with pytest.raises(AssertionError, match="different types"):
        builder.add(branch, [p, k, x], sides)


def test_the_checker_looks_into_inner_graphs():
    def twice(inner, i, c):
        wrong = Node(REGISTRY["add"], (c, c), {}, parse_type("f32"), None, 99)
        return Node(REGISTRY["astype"], (wrong,), {"dtype": np.dtype(np.float64)}, parse_type("f64"), None, 100)

    wrong = body(op=twice)
    x, made = over("f64", wrong)
    with pytest.raises(GraphError, match="body"):
        check(Graph((x,), (made,)))


def test_the_checker_finds_an_input_of_an_inner_graph_that_it_does_not_list():
    def foreign(inner, i, c):
        return inner.add(input_op, (), {"index": 9, "type": parse_type("f64")})

    x, made = over("f64", body(op=foreign))
    with pytest.raises(GraphError, match="does not list"):
        check(Graph((x,), (made,)))
