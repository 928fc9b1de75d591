import numpy as np
import pytest

from benchmarks.agreement import disagreement


def f32(*values):
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    ("result", "reference"),
    [
        (1.0, 1.0 + 1e-12),
        (f32(1, 2), np.array([1.00001, 2.0])),
        ((f32(1), [f32(2)]), [np.ones(1), (np.full(1, 2.0),)]),
        ({"loss": np.float32(1)}, {"loss": 1.0, "change": [np.ones(2)]}),
        (f32(1e-9, 1), np.array([0.0, 1.0])),
        (0.0, 0.0),
    ],
    ids=str,
)
def test_results_that_say_the_same_agree(result, reference):
    assert disagreement(result, reference, {}) == ""


@pytest.mark.parametrize(
    ("result", "reference", "says"),
    [
        (1.0, 1.0 + 1e-6, "result differs by 1.0e-06, allowed 1e-09"),
        (f32(1, 2), np.array([1.01, 2.0]), "result differs"),
        (f32(1, 2), np.ones(3), "result has shape (2,), expected (3,)"),
        ([f32(1)], [np.ones(1), np.ones(1)], "result is not a sequence of 2"),
        ({"change": [f32(1), f32(3)]}, {"change": [np.ones(1), np.ones(1)]}, "change[1] differs by 2.0e+00"),
        ({"other": 1.0}, {"loss": 1.0}, "result has none of loss"),
        (1.0, {"loss": 1.0}, "result is a float, not a dict"),
        (np.nan, 1.0, "result differs by nan"),
        (1.0, 0.0, "result differs"),
    ],
    ids=str,
)
def test_a_difference_is_told_with_its_place(result, reference, says):
    assert disagreement(result, reference, {}).startswith(says)


def test_a_case_may_widen_the_tolerance_of_one_name():
    result, reference = {"change": [f32(1.005)], "loss": np.float32(1)}, {"change": [np.ones(1)], "loss": 1.0}
    assert disagreement(result, reference, {"change": 1e-2}) == ""
    assert disagreement(result, reference, {"loss": 1e-2}).startswith("change[0]")
