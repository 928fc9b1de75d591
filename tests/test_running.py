"""Arguments met before are recognised: leaves in optree's order, and a key that no other arguments have."""

import itertools
from collections import OrderedDict, namedtuple

import numpy as np
import optree
import pytest

from gradgen.running import recognised
from gradgen.trace.pytree import flatten

Pair = namedtuple("Pair", "left right")
x, y, z = np.zeros(3), np.zeros((2, 3)), np.zeros(3, np.float32)
TREES = {
    "a number": (1.5,),
    "another number": (np.float64(1.5),),
    "an int": (1,),
    "an array": (x,),
    "of another shape": (y,),
    "of another dtype": (z,),
    "two": (x, y),
    "a tuple": ((x, y),),
    "a list": ([x, y],),
    "a tuple of one": ((x,),),
    "a tuple and an array": ((x,), y),
    "nothing": (),
    "an empty tuple": ((),),
    "an empty dict": ({},),
    "None": (None,),
    "None and an array": (None, x),
    "a dict": ({"w": x, "b": y},),
    "of other names": ({"w": x, "c": y},),
    "of numbers": ({10: x, 9: y},),
    "of mixed names": ({(1, 2): x, "a": y, 3: z},),
    "nested": ([(x, {"b": y, "a": [z, 2.0]}), (1, None)],),
    "a named tuple": (Pair(x, y),),
    "an ordered dict": (OrderedDict(w=x, b=y),),
}


@pytest.mark.parametrize("args", TREES.values(), ids=TREES)
def test_leaves_are_those_of_optree_in_its_order(args):
    leaves, _ = recognised(args)
    assert list(map(id, leaves)) == list(map(id, flatten(args)[0]))


def test_keys_tell_all_trees_apart():
    for one, other in itertools.combinations(TREES, 2):
        assert recognised(TREES[one])[1] != recognised(TREES[other])[1], (one, other)


def test_dicts_of_any_order_of_insertion_are_the_same():
    assert recognised(({"w": x, "b": y},))[1] == recognised(({"b": y, "w": x},))[1]


def frozen():
    array = np.zeros(3)
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("leaf", [np.zeros(6)[::2], np.zeros((2, 3)).T, frozen(), np.array(1.0), "text", 1j, object()])
def test_arrays_of_other_makes_take_the_long_way(leaf):
    assert recognised((leaf,)) is None
    assert recognised(((x, {"a": [leaf]}),)) is None
    assert recognised((Pair(x, leaf),)) is None


@pytest.mark.numba
def test_trees_keep_their_meaning_where_optree_is_told_not_to_sort():
    import gradgen as gg

    f = gg.jit(lambda p: p["b"] - 2.0 * p["a"])
    with optree.dict_insertion_ordered(True, namespace="gradgen"):
        assert f({"b": 1.0, "a": 2.0}) == f({"a": 2.0, "b": 1.0}) == -3.0
    assert f({"b": 1.0, "a": 2.0}) == f({"a": 2.0, "b": 1.0}) == -3.0
