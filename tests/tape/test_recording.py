"""The computation laid open."""

import textwrap

import numpy as np
import pytest

from gradgen import errors, tape


def test_the_circuit_of_the_textbook():
    recording = tape.record(lambda x, y, z: (x + y) * z, -2.0, 5.0, -4.0)
    assert [gate.op.name for gate in recording.gates] == ["input", "input", "input", "add", "multiply"]
    assert recording.output.out == -12
    assert recording.gradient(recording.output) is None
    recording.backward()
    assert [recording.gradient(gate) for gate in recording.gates] == [-4, -4, 3, -4, 1]
    assert recording.sent(recording.output) == [-4, 3]
    assert str(recording) == textwrap.dedent("""\
                              value  gradient
        x                        -2        -4
        y                         5        -4
        z                        -4         3
        %3 = add(x, y)            3        -4
          x                      -2        -4
          y                       5        -4
        %4 = multiply(%3, z)    -12         1
          %3                      3        -4
          z                      -4         3""")


def test_edges_show_what_each_use_sends():
    text = tape.record(lambda x: x * x + x, 3.0).backward().show()
    assert text.splitlines()[1].split() == ["x", "3", "7"]
    assert [line.split()[-1] for line in text.splitlines() if line.startswith("  x")] == ["3", "3", "1"]


def test_trees_are_named_by_their_path_and_constants_by_value_or_type():
    def f(params, x):
        return np.sum(params["w"][0] * x * 2.5 + np.ones(2))

    text = tape.record(f, {"w": [np.arange(2.0), 1.0]}, np.arange(20.0).reshape(10, 2)).backward().show()
    assert "params['w'][0]" in text
    assert "multiply(%3, 2.5)" in text
    assert "add(%4, f64[2])" in text
    assert "f64[10,2]" in text


def test_backward_takes_the_gradient_of_an_array():
    recording = tape.record(lambda x: x * x, np.array([1.0, 2.0]))
    with pytest.raises(errors.ArgumentError, match="pass its gradient"):
        recording.backward()
    np.testing.assert_array_equal(recording.backward(1).gradient(recording.gates[0]), [2, 4])


def test_a_result_that_is_constant_can_not_be_recorded():
    with pytest.raises(errors.DifferentiationError, match="does not come from its arguments"):
        tape.record(lambda x: 1.0, 2.0)
