"""Stacks that grow, and pieces of a workspace, called from compiled code as generated modules do."""

import numpy as np
import pytest
from numba import njit

from gradgen.runtime.arrays import LIMIT, carve, emptied, grown, opaque

pytestmark = pytest.mark.numba


@njit
def grow(stack, count=1):
    return grown(stack, count)


@njit
def filled(n):
    """0, 1, ..., n - 1 by a stack that starts with one row."""
    stack = np.empty((1, 2), np.float64)
    for k in range(n):
        if k >= stack.shape[0]:
            stack = grown(stack, 1)
        stack[k, 0], stack[k, 1] = k, -k
    return stack


@njit
def piece(memory, start, rows, columns):
    part = carve(memory, start, (rows, columns))
    part[:] = 7.0
    return part.sum()


@njit
def line(memory, start, count):
    return carve(memory, start, count).copy()


@njit
def seen(n):
    total = 0
    for k in range(n):
        total += opaque(k)
    return total


def test_a_grown_stack_has_twice_the_rows_and_what_was_there():
    old = np.arange(6.0).reshape(3, 2)
    new = grow(old)
    assert new.shape == (6, 2)
    np.testing.assert_array_equal(new[:3], old)
    assert new.dtype == old.dtype
    assert not np.shares_memory(new, old)


def test_a_grown_stack_of_numbers_has_twice_the_numbers():
    new = grow(np.arange(4))
    assert new.shape == (8,)
    assert new[:4].tolist() == [0, 1, 2, 3]
    assert new.dtype == np.int64


def test_rows_without_elements_grow():
    assert grow(np.empty((4, 0))).shape == (8, 0)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 8, 100])
def test_growing_step_by_step_keeps_every_row(n):
    stack = filled(n)
    np.testing.assert_array_equal(stack[:n], np.stack([np.arange(n), -np.arange(n)], axis=1))
    assert n <= len(stack) <= max(2 * n, 1)


def test_beyond_the_limit_of_all_stacks_together_there_are_no_rows():
    stack = np.ones((4, 2))
    allowed = LIMIT // (2 * stack.nbytes)
    assert grow(stack, allowed).shape == (8, 2)
    assert grow(stack, allowed + 1).shape == (0, 2)


def test_an_emptied_stack_keeps_dtype_and_the_shape_of_rows():
    for stack in (np.ones((5, 2), np.float32), np.ones((5, 2, 3)), np.ones(5, bool)):
        found = emptied(stack)
        assert found.shape == (0, *stack.shape[1:])
        assert found.dtype == stack.dtype


def test_a_carved_piece_is_the_memory_itself():
    memory = np.zeros(10)
    assert piece(memory, 2, 2, 3) == 42
    assert memory.tolist() == [0, 0, 7, 7, 7, 7, 7, 7, 0, 0]


def test_a_piece_of_one_axis_is_carved_by_a_number():
    assert line(np.arange(5.0), 1, 3).tolist() == [1, 2, 3]
    assert line(np.arange(5.0), 5, 0).tolist() == []


def test_an_opaque_index_is_the_index():
    assert seen(10) == 45
