"""Text and graph are exact inverses, and the checker refuses what no builder makes."""

import numpy as np
import pytest

import gradgen as gg
from gradgen.errors import GraphError
from gradgen.ir.check import check
from gradgen.ir.graph import Builder, Graph, Node
from gradgen.ir.text import parse, to_text
from gradgen.ir.types import parse_type
from gradgen.ops import REGISTRY
from gradgen.ops.arithmetic import add
from gradgen.ops.leaves import input as input_op

X = np.arange(6.0).reshape(2, 3)
PROGRAMS = {
    "scalar": (lambda x: x**2.5 - 1 / x, (0.5,)),
    "reduction": (lambda x: np.max(x, axis=1) + np.prod(x), (X,)),
    "views": (lambda x: x[::-1, None, 1:].T.reshape(-1), (X,)),
    "constant": (lambda x: x @ np.array([[1.0, np.nan], [np.inf, -0.0], [1e-300, 3]]), (X,)),
    "index": (lambda x: np.take(x, [0, -1, 1], axis=1), (X,)),
    "flags": (lambda x: np.where((x > 1) & ~(x == 2), x, -np.inf), (X,)),
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("verb", ["jit", "grad"])
def test_text_parses_back_to_the_same_text(name, verb):
    function, args = PROGRAMS[name]
    made = gg.jit(function) if verb == "jit" else gg.grad(lambda x: np.sum(function(x)))
    for stage in ("trace", "simplify"):
        graph = made.kernel(*args).stages[stage]
        again = parse(to_text(graph), REGISTRY)
        assert to_text(check(again)) == to_text(graph)


def test_symbolic_sizes_survive():
    graph = gg.jit(lambda x: (x[1:] * x[:-1]).mean(), signature="f64[n]").graph(np.ones(4))
    assert "f64[n-1]" in to_text(graph)
    assert to_text(parse(to_text(graph), REGISTRY)) == to_text(graph)


@pytest.mark.parametrize("text", ["f64[n,4]", "f32", "i64[2]", "bool[n-1]"])
def test_types_parse_back(text):
    assert str(parse_type(text)) in (text, f"{text}[]")


@pytest.mark.parametrize("text", ["f65", "f64[", "f64[n;m]", "matrix"])
def test_what_is_no_type_is_refused(text):
    with pytest.raises(ValueError, match=r"not a"):
        parse_type(text)


@pytest.mark.parametrize("text", ["no graph", "f(x: f64[]) {\n  what\n  return x\n}"])
def test_what_is_no_graph_is_refused_with_its_line(text):
    with pytest.raises(GraphError):
        parse(text, REGISTRY)


def test_equal_values_are_one_node():
    builder = Builder()
    x = builder.add(input_op, (), {"index": 0, "type": parse_type("f64")})
    assert builder.add(add, (x, x)) is builder.add(add, (x, x))


def test_a_node_with_another_type_than_its_op_infers_is_found():
    builder = Builder()
    x = builder.add(input_op, (), {"index": 0, "type": parse_type("f64")})
    wrong = Node(add, (x, x), {}, parse_type("f32"), None, 99)
    with pytest.raises(GraphError, match="infers"):
        check(Graph((x,), (wrong,)))
