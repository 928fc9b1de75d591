"""Programs cut into parts compute what the whole computes; cuts never part a stack from its users."""

import re

import numpy as np
import pytest

import gradgen as gg
from gradgen.schedule import cut
from tests import plain_python

RNG = np.random.default_rng(0)
X, W = RNG.normal(size=3), RNG.normal(size=(3, 3)) / 2


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(cut, "LONG", 40)


def unrolled(x, a):
    for _ in range(20):
        x = x + 0.01 * np.sin(a * x) * x
    return x


def mixed(x, w):
    for _ in range(6):
        x = np.tanh(w @ x) + x * np.sum(x) * 0.1
        x = gg.fori_loop(0, 3, lambda i, x: x * 0.9 + np.sin(x[0]), x)
    return np.sum(x)


def numbers_before_arrays(x, w):
    for _ in range(20):
        x = np.tanh(w @ x)
    return np.sum(x), w @ x, x[:2], x[0], 2 * x


def no_steps(x, w):
    n, last = 0.0, 1.0
    for k in range(12):
        last, n = gg.fori_loop(0, k % 2, lambda i, c: (np.sin(c[1]), c[1] + 1.0), (last, n))
        x = np.tanh(w @ x) * n
    return last + np.sum(x)


def stacks(x, a):
    s = x
    for _ in range(10):
        s = gg.while_loop(lambda c: c[1] < 3, lambda c: (np.sin(c[0]) * x + 1, c[1] + 1), (s, 0))[0] + np.cos(s * a)
    return s


def several(x, a):
    results = []
    for k in range(60):
        x = np.sin(x) * a + k
        results.append(x * x)
    return tuple(results)


def indexed(x, k):
    for _ in range(12):
        x = np.sin(x) + x[k] * x[k - 1]
        k = (k + 1) % 3
    return np.sum(x)


PROGRAMS = {  # and what is differentiated
    "unrolled": (unrolled, (0, 1), (0.5, 1.2)), "mixed": (mixed, (0, 1), (X, W)), "stacks": (stacks, (0, 1), (0.3, 0.7)),
    "several": (several, None, (0.4, 1.3)), "indexed": (indexed, (0,), (X, 1)),
    "numbers before arrays": (numbers_before_arrays, None, (X, W)), "no steps": (no_steps, (0, 1), (X, W)),
}  # fmt: skip
EACH = pytest.mark.parametrize("name", PROGRAMS)


def made(name):
    program, argnums, args = PROGRAMS[name]
    return (gg.value_and_grad(program, argnums=argnums) if argnums else gg.jit(program)), args


def plainly(name):
    program, argnums, args = PROGRAMS[name]
    if argnums is None:
        return list(program(*args))
    value, gradients = gg.tape.value_and_grad(program, argnums=argnums)(*args)
    return [value, *gradients]


def parts_of(source):
    return re.findall(r"^def \w+_part\d+\(.*?(?=^@|^def |\Z)", source, re.M | re.S)


@EACH
def test_the_parts_compute_what_the_whole_does(name):
    function, args = made(name)
    kernel = function.kernel(*args)
    assert "_part2" in kernel.source
    for x, y in zip(plain_python.run(kernel, args), plainly(name), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", ["unrolled", "several"])
def test_parts_are_short_where_nothing_holds_them_together(name):
    function, args = made(name)
    parts = parts_of(function.source(*args))
    assert len(parts) >= 2
    assert all(part.count("\n") < 4 * cut.LONG for part in parts)


@EACH
def test_short_programs_are_left_whole(name, monkeypatch):
    monkeypatch.setattr(cut, "LONG", 4000)
    function, args = made(name)
    assert "_part" not in function.source(*args)


def test_a_stack_is_made_and_grown_in_one_part():
    function, args = made("stacks")
    found = [
        (part, stack) for part in parts_of(function.source(*args)) for stack in re.findall(r"(\w+) = grown\(", part)
    ]
    assert found
    for part, stack in found:
        assert re.search(rf"^ +{stack} = np\.empty", part, re.M), stack


@pytest.mark.numba
def test_parts_compile():
    function, args = made("several")
    for x, y in zip(function(*args), plainly("several"), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12)
