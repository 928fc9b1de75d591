"""Which loops are shared and what is stored, read off the loop program."""

import numpy as np

import gradgen as gg
from gradgen.schedule.plan import plan
from gradgen.schedule.program import Call, Fill, Loop, Store
from gradgen.schedule.separate import separate
from gradgen.schedule.walks import walk

X = np.ones((4, 3))


def program(function, *args, donate=None):
    return plan(separate(gg.jit(function).graph(*args)), donate)


def loops(made):
    return [s for s in made.body if isinstance(s, Loop)]


def test_a_chain_of_elementwise_ops_is_one_loop_that_stores_once():
    made = program(lambda x: np.exp(np.sin(x) * 2) + x, X)
    assert len(loops(made)) == 1
    assert sum(isinstance(s, Store) for s in walk(made.body)) == 1


def test_reductions_of_rows_and_their_readers_share_the_outer_loop():
    made = program(lambda x: np.exp(x - x.max(axis=1, keepdims=True)) / np.exp(x).sum(axis=1, keepdims=True), X)
    assert len(loops(made)) == 1
    assert not any(isinstance(s, Store) and s.buffer.role == "temp" and len(s.index) == 1 for s in walk(made.body))


def test_a_reduction_over_all_needs_its_loop_to_end_first():
    assert len(loops(program(lambda x: x / x.sum(), X))) == 2


def test_a_sum_of_columns_accumulates_in_the_order_of_memory():
    made = program(lambda x: np.sin(x).sum(axis=0), X)
    assert sum(isinstance(s, Fill) for s in made.body) == 1
    (loop,) = loops(made)
    assert loop.extent == 4


def test_transposes_reach_library_calls_as_flags():
    (call,) = [s for s in program(lambda x: x.T @ x, X).body if isinstance(s, Call)]
    assert [o.transposed for o in call.operands] == [True, False]


def test_units_that_have_nothing_to_do_with_one_another_keep_their_loops():
    assert len(loops(program(lambda x, y: (np.exp(x), np.exp(y)), X, X + 1))) == 2


def test_a_donated_input_is_overwritten_and_an_unsafe_donation_is_refused():
    taken = program(lambda w, g: w - 0.1 * g, X, X, donate={0: 0})
    assert taken.results[0].role == "input"
    refused = program(lambda w: w[::-1] * 2, X, donate={0: 0})
    assert refused.results[0].role == "output"


def test_buffers_whose_lives_do_not_meet_share_memory():
    made = program(
        lambda x: np.sin(np.sin(x @ np.ones((3, 4))) @ np.ones((4, 8))) @ np.ones((8, 4)) @ np.ones((4, 4)), X
    )
    assert sum(made.workspace.values()) < sum(np.prod(b.shape) + 16 for b in made.offsets)


def test_axes_of_one_place_need_no_loop():
    made = program(lambda x: x.sum(axis=1, keepdims=True) * 2, X)
    assert all(s.extent != 1 for s in walk(made.body) if isinstance(s, Loop))
