import numpy as np
import pytest

from gradgen.errors import ArgumentError
from gradgen.train.rows import rows_of

X, Y = np.ones((4, 3)), np.arange(4)


def test_arrays_are_taken_as_they_are_and_others_made_contiguous():
    rows = rows_of((X, Y), "data")
    assert np.shares_memory(rows.x, X)
    assert rows.count == 4
    assert rows_of((np.ones((3, 4)).T, Y), "data").x.flags.c_contiguous


def test_trees_of_arrays_and_no_targets_are_data_too():
    rows = rows_of(({"a": X, "b": [Y, X]}, None), "data")
    assert rows.y is None
    assert rows.x["b"][0] is not None
    assert rows.count == 4


@pytest.mark.parametrize("data", [None, (X,), (X, Y[:3]), (X[:0], Y[:0]), ([[1.0]], [2.0]), (None, None)])
def test_other_data_are_refused(data):
    with pytest.raises(ArgumentError, match="fit: "):
        rows_of(data, "data")


def test_the_first_chosen_row_that_is_not_finite_is_found():
    x = X.copy()
    x[1, 2], x[3, 0] = np.nan, np.inf
    rows = rows_of((x, Y), "data")
    assert rows.broken(np.array([2, 3, 1])) == 3
    assert rows.broken(np.array([0, 2])) is None
    assert rows_of((Y, Y), "data").broken(np.array([0])) is None
