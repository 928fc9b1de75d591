"""What Python or a caller asks that can't be: an error that names the thing, the line and the remedy."""

import numpy as np
import pytest

import gradgen as gg
from gradgen.errors import ArgumentError, ShapeError, TraceError

TABLE = np.arange(6.0).reshape(3, 2)


@pytest.mark.parametrize("f", [lambda x: x.item(), lambda x: x.tolist(), round, lambda x: f"{x:.2f}"],
                         ids=["item", "tolist", "round", "format"])  # fmt: skip
def test_a_number_that_is_not_known_yet(f):
    with pytest.raises(TraceError, match="its number is not known while tracing"):
        gg.jit(lambda x: f(x)).graph(1.0)


def test_a_traced_value_can_be_printed():
    gg.jit(lambda x: (f"{x}", x * 1)[1]).graph(1.0)


def test_a_table_is_indexed_by_a_traced_integer_once_it_is_in_the_trace():
    with pytest.raises(TraceError, match=r"gg\.full"):
        gg.jit(lambda i: TABLE[i]).graph(1)
    graph = gg.jit(lambda i: gg.full(TABLE.shape, TABLE)[i]).graph(1)
    np.testing.assert_array_equal(gg.testing.evaluate(graph, [2])[0], TABLE[2])


VERBS = ["jit", "grad", "value_and_grad", "hvp", "jacobian", "hessian", "vmap"]


@pytest.mark.parametrize("verb", VERBS)
def test_what_is_no_function(verb):
    with pytest.raises(ArgumentError, match="3 is no function"):
        getattr(gg, verb)(3)


@pytest.mark.parametrize("verb", VERBS)
def test_an_option_that_there_is_not(verb):
    with pytest.raises(ArgumentError, match=r"no option 'foo'(.|\n)*docs/options.md"):
        getattr(gg, verb)(np.sin, foo=1)


@pytest.mark.parametrize("axes", [{"in_axes": "a"}, {"in_axes": ({"a": 0},)}, {"out_axes": (0,)}, {"in_axes": 1.0}])
def test_axes_of_a_batch_that_are_none(axes):
    with pytest.raises(ArgumentError, match="vmap: in_axes="):
        gg.vmap(np.sin, **axes)


def test_an_error_within_a_network_names_the_users_line_first():
    model = gg.nn.MLP((4, 3, 2))
    with pytest.raises(ShapeError, match=r"at .*test_refusals.py:\d+ (.|\n)*in .*mlp.py:\d+ "):
        gg.jit(lambda p, x: model(p, x)).graph(model.init(0), np.ones((5, 3), np.float32))


def test_a_loss_names_the_users_line():
    with pytest.raises(ShapeError, match=r"mse: shapes(.|\n)*at .*test_refusals.py:\d+ "):
        gg.jit(lambda x: gg.nn.mse(x, x[:2])).graph(np.ones(3))
