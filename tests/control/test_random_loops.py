"""Random programs of loops and branches: compiled, interpreted, emitted, batched, differentiated twice, all the same.

Many more are run by `python -m tests.control.hunt 1000`, and compiled ones with --compiled.
"""

import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from gradgen.errors import DTypeError, UnsupportedError
from tests.control import checks
from tests.control.programs import program

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def examples(count):
    """The same ones in every run: a red test is red again."""
    return settings(max_examples=count, deadline=None, derandomize=True, database=None,
                    suppress_health_check=list(HealthCheck))  # fmt: skip


@st.composite
def programs(draw, longest=3, nesting=2):
    chosen = random.Random(draw(st.integers(0, 2**32)))  # a seed: examples shrink in length and depth alone
    return program(
        lambda options: options[chosen.randrange(len(options))],
        draw(st.integers(1, longest)),
        draw(st.integers(0, nesting)),
    )


def holds(check, drawn):
    text, args = drawn
    note(text)
    note(repr(args))
    try:
        with np.errstate(all="ignore"):
            check(text, args)
    except (UnsupportedError, DTypeError) as refused:  # right, or a clear error
        assert (
            "only a loop's run tells" in str(refused)
            or "differs from example" in str(refused)
            or "a carry" in str(refused)
        )


@pytest.mark.parametrize("check", [checks.differences, checks.values, checks.symbolic_values], ids=lambda f: f.__name__)
@examples(40)
@given(programs())
def test_loops_give_what_plain_python_gives(check, drawn):
    holds(check, drawn)


@pytest.mark.parametrize(
    "check", [checks.gradients, checks.symbolic_gradients, checks.halves], ids=lambda f: f.__name__
)
@examples(25)
@given(programs())
def test_gradients_through_loops_are_the_tapes(check, drawn):
    holds(check, drawn)


@pytest.mark.parametrize(
    "check", [checks.forward_mode, checks.second_order, checks.batch_of_tangents], ids=lambda f: f.__name__
)
@examples(12)
@given(programs(longest=2))
def test_forward_mode_and_second_order_agree(check, drawn):
    holds(check, drawn)


@pytest.mark.parametrize(
    "check", [checks.batches, checks.part_batches, checks.number_batches], ids=lambda f: f.__name__
)
@examples(10)
@given(programs(longest=2))
def test_a_batch_is_a_loop_over_its_examples(check, drawn):
    holds(check, drawn)


@pytest.mark.numba
@pytest.mark.parametrize("check", checks.COMPILED, ids=lambda f: f.__name__)
@examples(3)
@given(programs(longest=2, nesting=1))
def test_compiled_loops_give_what_plain_python_gives(check, drawn):
    holds(check, drawn)
