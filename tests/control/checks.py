"""What a program of loops must satisfy, as functions check(text, args) that raise AssertionError.

The oracles are plain Python (the verbs run eagerly), the tape, central differences, and one transformation against
another. `INTERPRETED` needs no compiler: the graph is evaluated in NumPy, the emitted code is run as Python.
"""

from __future__ import annotations

import numpy as np

import gradgen as gg
from gradgen.ir.check import check
from gradgen.testing import evaluate
from tests import plain_python
from tests.control.loading import load

REALS = (0, 1, 2)  # arguments that are differentiated


def close(found, wanted, tolerance=1e-8):
    assert len(found) == len(wanted)
    for k, (x, y) in enumerate(zip(found, wanted, strict=True)):
        assert np.shape(x) == np.shape(y), f"result {k}: shapes {np.shape(x)} and {np.shape(y)}"
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance, err_msg=f"result {k}")


def flat(value_and_gradients):
    value, gradients = value_and_gradients
    return [value, *gradients]


def built(compiled, args):
    call = compiled._call(tuple(args), {})
    return compiled._built(call).kernel, call.values


def evaluated(compiled, args):
    """The results of a kernel's graph, which its code, run as Python, must give too."""
    kernel, given = built(compiled, args)
    check(kernel.graph)
    wanted = evaluate(kernel.graph, given)
    for k, (node, x) in enumerate(zip(kernel.graph.outputs, wanted, strict=True)):
        assert np.asarray(x).dtype == node.dtype, f"result {k} of the graph: {np.asarray(x).dtype}, not {node.dtype}"
    close(plain_python.run(kernel, given), wanted)
    return wanted


def directions(args, seed=1):
    rng = np.random.default_rng(seed)
    return [rng.uniform(-1, 1, np.shape(args[k])) if np.ndim(args[k]) else float(rng.uniform(-1, 1)) for k in REALS]


def moved(args, vs, step):
    return [*(args[k] + step * v for k, v in zip(REALS, vs, strict=True)), *args[len(REALS) :]]


# -- without a compiler


def values(text, args, sizes="static"):
    f, _ = load(text)
    close(evaluated(gg.jit(f, sizes=sizes), args), f(*args))


def symbolic_values(text, args):
    values(text, args, "symbolic")


def gradients(text, args, sizes="static"):
    _, loss = load(text)
    wanted = flat(gg.tape.value_and_grad(loss, argnums=REALS)(*args))
    close(evaluated(gg.value_and_grad(loss, argnums=REALS, sizes=sizes), args), wanted)


def symbolic_gradients(text, args):
    gradients(text, args, "symbolic")


def halves(text, args):
    """kernel.forward and kernel.backward, run as Python."""
    _, loss = load(text)
    kernel, given = built(gg.value_and_grad(loss, argnums=REALS), args)
    forward, backward = (f.name for f in kernel._functions[1:])
    found = plain_python.run(kernel, given, forward)
    outputs = len(found) - kernel.split.residuals
    gradients = plain_python.run(kernel, [*given, *found[outputs:], 1.0], backward)
    close([found[0], *gradients], flat(gg.tape.value_and_grad(loss, argnums=REALS)(*args)))


def differences(text, args):
    """The tape itself, which is the other checks' oracle."""
    _, loss = load(text)
    _, *found = flat(gg.tape.value_and_grad(loss, argnums=REALS)(*args))
    vs = directions(args)
    slope = sum(np.sum(g * v) for g, v in zip(found, vs, strict=True))
    slopes = [(loss(*moved(args, vs, h)) - loss(*moved(args, vs, -h))) / (2 * h) for h in (1e-5, 1e-6)]
    if abs(slopes[0] - slopes[1]) < 1e-4 * (1 + abs(slope)):  # else a branch changes within the step
        close([slope], slopes[:1], 1e-4)


def forward_mode(text, args):
    _, loss = load(text)
    vs = directions(args)

    def slope(a, b, c, n, *tangents):
        return gg.jvp(lambda a, b, c: loss(a, b, c, n), (a, b, c), tangents)[1]

    _, *found = flat(gg.tape.value_and_grad(loss, argnums=REALS)(*args))
    close(evaluated(gg.jit(slope), [*args, *vs]), [sum(np.sum(g * v) for g, v in zip(found, vs, strict=True))])


def second_order(text, args):
    """The gradient of a number made of the gradient: by reverse over reverse, reverse over forward, differences."""
    _, loss = load(text)
    vs = directions(args)

    def reverse(a, b, c, n):
        return sum(np.sum(g * v) for g, v in zip(gg.grad(loss, argnums=REALS)(a, b, c, n), vs, strict=True))

    def forward(a, b, c, n):
        return gg.jvp(lambda a, b, c: loss(a, b, c, n), (a, b, c), tuple(vs))[1]

    over_reverse = evaluated(gg.grad(reverse, argnums=REALS), args)
    close(evaluated(gg.grad(forward, argnums=REALS), args), over_reverse, 1e-7)
    us = directions(args, 2)
    slope = sum(np.sum(g * u) for g, u in zip(over_reverse, us, strict=True))

    def first(args):
        gs = gg.tape.grad(loss, argnums=REALS)(*args)
        return sum(np.sum(g * v) for g, v in zip(gs, vs, strict=True))

    slopes = [(first(moved(args, us, h)) - first(moved(args, us, -h))) / (2 * h) for h in (1e-5, 1e-6)]
    if abs(slopes[0] - slopes[1]) < 1e-4 * (1 + abs(slope)):
        close([slope], slopes[:1], 1e-3)


def batches(text, args, axes=(0, 0, 0, 0)):
    """vmap against a Python loop over the examples, the number n0 another in each where it is batched."""
    _, loss = load(text)
    scales = (1.0, 0.7, -0.9)
    stacked = [np.stack([s * np.asarray(x) for s in scales]) for x in args[:3]] + [np.array([args[3], 2, 0])]
    given = [s if axis == 0 else x for s, x, axis in zip(stacked, args, axes, strict=True)]
    batched = gg.vmap(gg.value_and_grad(loss, argnums=REALS), in_axes=axes)
    found = evaluated(gg.jit(batched), given)
    for k in range(3):
        one = [x[k] if axis == 0 else x for x, axis in zip(given, axes, strict=True)]
        one = [x.item() if isinstance(x, np.generic) else x for x in one]
        close([x[k] for x in found], flat(gg.tape.value_and_grad(loss, argnums=REALS)(*one)))


def part_batches(text, args):
    batches(text, args, (None, 0, None, None))


def number_batches(text, args):
    batches(text, args, (None, None, None, 0))


def batch_of_tangents(text, args):
    """Forward mode over a batch of directions: what jacobian and hessian are made of."""
    _, loss = load(text)
    wanted = [g for k, g in enumerate(gg.tape.grad(loss, argnums=REALS)(*args))]
    for k in REALS:

        def jacobian(a, b, c, n, k=k):
            return gg.jacobian(loss, argnums=k, mode="forward")(a, b, c, n)

        close(evaluated(gg.jit(jacobian), args), [wanted[k]])


# -- with one


def compiled_values(text, args):
    f, _ = load(text)
    close(gg.jit(f)(*args), f(*args))


def compiled_gradients(text, args):
    _, loss = load(text)
    wanted = flat(gg.tape.value_and_grad(loss, argnums=REALS)(*args))
    run = gg.value_and_grad(loss, argnums=REALS)
    close(flat(run(*args)), wanted)
    close(flat(run(*args)), wanted)  # no state is left behind


def compiled_halves(text, args):
    """gg.vjp runs kernel.forward and kernel.backward."""
    _, loss = load(text)
    wanted = gg.tape.grad(loss, argnums=REALS)(*args)
    _, pull = gg.vjp(lambda a, b, c: loss(a, b, c, args[3]), *args[:3])
    close(pull(1.0), wanted)


def in_compiled_code(text, args):
    """Called from @njit code, where every size is a symbol."""
    import numba

    _, loss = load(text)
    run = gg.value_and_grad(loss, argnums=REALS)
    run(*args)  # says which sizes are equal

    @numba.njit
    def caller(a, b, c, n):
        return run(a, b, c, n)

    close(flat(caller(*args)), flat(gg.tape.value_and_grad(loss, argnums=REALS)(*args)))


def single_precision(text, args):
    if "(0.1 * " in text or "np.full" in text:  # whole numbers, and arrays of float64, make float64 of what they meet
        return
    _, loss = load(text)
    short = [*(np.float32(x) for x in args[:3]), args[3]]
    found = gg.value_and_grad(loss, argnums=REALS)(*short)
    wanted = flat(gg.tape.value_and_grad(loss, argnums=REALS)(*args))
    for x in flat(found):
        assert np.asarray(x).dtype == np.float32
    if np.allclose(loss(*short), loss(*args), rtol=1e-4, atol=1e-4):  # else a branch went the other way
        close(flat(found), wanted, 5e-3)


INTERPRETED = (differences, values, symbolic_values, gradients, symbolic_gradients, halves, forward_mode, second_order,
               batches, part_batches, number_batches, batch_of_tangents)  # fmt: skip
COMPILED = (compiled_values, compiled_gradients, compiled_halves, in_compiled_code, single_precision)
