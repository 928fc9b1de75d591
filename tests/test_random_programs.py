"""Random programs: interpreted, emitted, compiled, on the tape and in JAX, all the same; gradients are differences."""

import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

import gradgen as gg
from gradgen.ir.check import check
from gradgen.ir.text import parse, to_text
from gradgen.ops import REGISTRY
from gradgen.testing import evaluate
from tests import plain_python
from tests.programs import load, program

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # where(x > 0, log(x), x) computes both branches


def examples(count):
    """The same ones in every run: a red test is red again."""
    return settings(max_examples=count, deadline=None, derandomize=True, database=None,
                    suppress_health_check=list(HealthCheck))  # fmt: skip


@st.composite
def programs(draw, longest=8):
    chosen = random.Random(draw(st.integers(0, 2**32)))  # a seed: examples shrink in length alone
    text, args = program(lambda options: options[chosen.randrange(len(options))], draw(st.integers(1, longest)))
    return text, args


def close(found, wanted, tolerance=1e-9):
    for x, y in zip(found, wanted, strict=True):
        assert np.shape(x) == np.shape(y)
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance)


def everything(count):
    return tuple(range(count))


def built(compiled, args):
    call = compiled._call(tuple(args), {})
    return compiled._built(call).kernel, call.values


def emitted_is_evaluated(compiled, args):
    """The results of a kernel's graph; its code and both its halves must agree with it."""
    kernel, values = built(compiled, args)
    check(kernel.graph)
    wanted = evaluate(kernel.graph, values)
    close(plain_python.run(kernel, values), wanted)
    if kernel.split is not None:
        forward, backward = (f.name for f in kernel._functions[1:])
        found = plain_python.run(kernel, values, forward)
        outputs = len(found) - kernel.split.residuals
        gradients = plain_python.run(kernel, [*values, *found[outputs:], 1.0], backward)
        close(gradients, wanted[len(wanted) - len(gradients) :])
    return wanted


@examples(150)
@given(programs(), st.sampled_from(["static", "symbolic"]))
def test_emitted_code_gives_what_numpy_gives(drawn, sizes):
    text, args = drawn
    note(text)
    f, _ = load(text)
    close(emitted_is_evaluated(gg.jit(f, sizes=sizes), args), f(*args))


@examples(150)
@given(programs(), st.sampled_from(["static", "symbolic"]))
def test_gradients_are_the_tapes_and_both_halves_agree(drawn, sizes):
    text, args = drawn
    note(text)
    _, loss = load(text)
    value_and_grad = gg.value_and_grad(loss, argnums=everything(len(args)), sizes=sizes)
    value, *gradients = emitted_is_evaluated(value_and_grad, args)
    tape_value, tape_gradients = gg.tape.value_and_grad(loss, argnums=everything(len(args)))(*args)
    close([value, *gradients], [tape_value, *tape_gradients])


@examples(100)
@given(programs(longest=5))
def test_forward_mode_is_reverse_mode_to_second_order(drawn):
    text, args = drawn
    note(text)
    _, loss = load(text)
    rng = np.random.default_rng(0)
    vs = [rng.normal(size=np.shape(x)) for x in args]
    n = len(args)

    def forward(*both):
        return gg.jvp(loss, both[:n], both[n:])[1]

    def reverse(*both):
        gradients = gg.grad(loss, argnums=everything(n))(*both[:n])
        return sum(np.sum(g * v) for g, v in zip(gradients, both[n:], strict=True))

    slopes = [emitted_is_evaluated(gg.jit(mode), [*args, *vs])[0] for mode in (forward, reverse)]
    close(slopes[:1], slopes[1:])
    second = [emitted_is_evaluated(gg.grad(mode, argnums=everything(n)), [*args, *vs]) for mode in (forward, reverse)]
    close(*second, tolerance=1e-7)


@examples(60)
@given(programs())
def test_the_text_of_a_gradient_parses_back(drawn):
    text, args = drawn
    _, loss = load(text)
    for sizes in ("static", "symbolic"):
        kernel, values = built(gg.grad(loss, sizes=sizes), args)
        again = parse(to_text(kernel.graph), REGISTRY)
        assert to_text(again) == to_text(kernel.graph)
        close(evaluate(again, values), evaluate(kernel.graph, values), 0)


@examples(60)
@given(programs(longest=6), st.data())
def test_a_symbolic_kernel_is_right_for_every_call_that_it_accepts(drawn, data):
    text, args = drawn
    f, _ = load(text)
    compiled = gg.jit(f, sizes="symbolic")
    built(compiled, args)
    sizes = sorted({n for x in args for n in x.shape})
    other = {n: data.draw(st.integers(0, 5)) if n > 1 else n for n in sizes}
    moved = [np.random.default_rng(1).uniform(-1, 1, [other[n] for n in x.shape]) for x in args]
    note(f"{text}\n{[x.shape for x in args]} then {[x.shape for x in moved]}")
    serving = next(iter(compiled._families.values())).serving(tuple(np.shape(x) for x in moved))
    if serving is None:
        return
    moved = [x if x.ndim else x[()] for x in moved]
    try:
        wanted = f(*moved)
    except (IndexError, ValueError):
        with pytest.raises((IndexError, ValueError)):
            plain_python.run(serving.kernel, moved)
    else:
        close(plain_python.run(serving.kernel, moved), wanted)


@pytest.mark.numba
@examples(12)
@given(programs(longest=10))
def test_compiled_gradients_are_the_tapes(drawn):
    text, args = drawn
    note(text)
    _, loss = load(text)
    value, gradients = gg.value_and_grad(loss, argnums=everything(len(args)))(*args)
    tape_value, tape_gradients = gg.tape.value_and_grad(loss, argnums=everything(len(args)))(*args)
    close([value, *gradients], [tape_value, *tape_gradients])


@examples(12)
@given(programs(longest=6))
def test_gradients_are_those_of_jax(drawn):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    text, args = drawn
    note(text)
    kernel, values = built(gg.grad(load(text)[1], argnums=everything(len(args))), args)
    wanted = jax.grad(load(text, jax.numpy)[1], argnums=everything(len(args)))(*args)
    found = evaluate(kernel.graph, values)
    # JAX has nan where a branch that was not taken has no derivative; gradgen has 0.
    known = [np.isfinite(w) for w in wanted]
    close([np.where(k, x, 0) for k, x in zip(known, found, strict=True)],
          [np.where(k, w, 0) for k, w in zip(known, wanted, strict=True)], 1e-8)  # fmt: skip
