"""The derivative of f(x) = sqrt(x*x + exp(x*x)): called from Python, and in a compiled loop of x = x - 1e-3 * f'(x).

So little arithmetic that all the time is the price of a call. float64 throughout. JAX is given its number as an array
on the device, which saves it the conversion of a Python float (a fifth of its time).
"""

import functools
import math

import numpy as np

from benchmarks.harness import Call, Case, Contender
from benchmarks.jax_precision import precision

X = 0.5
RATE = 1e-3


def formula(x):
    return np.sqrt(x * x + np.exp(x * x))


def by_hand_python(x):
    e = math.exp(x * x)
    return (x + x * e) / math.sqrt(x * x + e)


def by_hand_numpy(x):
    e = np.exp(x * x)
    return (x + x * e) / np.sqrt(x * x + e)


def by_hand_numba():
    import numba

    return numba.njit(cache=True)(by_hand_python)


# One call from Python


def call_gradgen(x):
    import gradgen as gg

    return Call(gg.grad(formula), (x,))


def call_tape(x):
    import gradgen as gg

    return Call(gg.tape.grad(formula), (x,))


def call_autograd(x):
    import autograd
    import autograd.numpy as anp

    return Call(autograd.grad(lambda x: anp.sqrt(x * x + anp.exp(x * x))), (x,))


def call_jax(x):
    import jax
    import jax.numpy as jnp

    with precision(64):
        derivative = jax.jit(jax.grad(lambda x: jnp.sqrt(x * x + jnp.exp(x * x))))
        x = jnp.asarray(x, jnp.float64)
    return Call(lambda x: derivative(x).block_until_ready(), (x,), context=functools.partial(precision, 64))


def call_torch(x):
    import torch

    def derivative(x):
        y = torch.sqrt(x * x + torch.exp(x * x))
        return torch.autograd.grad(y, x)[0]

    return Call(derivative, (torch.tensor(x, dtype=torch.float64, requires_grad=True),))


def call_casadi(x):
    import casadi

    symbol = casadi.SX.sym("x")
    y = casadi.sqrt(symbol * symbol + casadi.exp(symbol * symbol))
    return Call(casadi.Function("df", [symbol], [casadi.gradient(y, symbol)]), (x,), read=float)


# In a compiled loop; a step is one iteration


def loop_numba_of(derivative, steps):
    """The user's own @njit loop around a derivative that Numba can call."""
    import numba

    @numba.njit
    def descend(x, n):
        for _ in range(n):
            x = x - RATE * derivative(x)
        return x

    return Call(descend, (X, steps), steps)


def loop_gradgen(steps):
    import gradgen as gg

    return loop_numba_of(gg.grad(formula), steps)


def loop_numba(steps):
    return loop_numba_of(by_hand_numba(), steps)


def loop_python(steps):
    return Call(descend_python, (X, steps), steps)


def descend_python(x, n):
    for _ in range(n):
        x = x - RATE * by_hand_python(x)
    return x


def loop_jax(steps):
    import jax
    import jax.numpy as jnp

    derivative = jax.grad(lambda x: jnp.sqrt(x * x + jnp.exp(x * x)))

    @jax.jit
    def descend(x, n):
        return jax.lax.fori_loop(0, n, lambda _, x: x - RATE * derivative(x), x)

    with precision(64):
        x = jnp.asarray(X, jnp.float64)
    return Call(lambda x: descend(x, steps).block_until_ready(), (x,), steps, context=functools.partial(precision, 64))


CASES = (
    Case(
        "scalar-call",
        "derivative of sqrt(x*x + exp(x*x)), called from Python, float64",
        (
            Contender("gradgen", call_gradgen, ("gradgen",)),
            Contender("numba", lambda x: Call(by_hand_numba(), (x,)), ("numba",)),
            Contender("python", lambda x: Call(by_hand_python, (x,))),
            Contender("numpy", lambda x: Call(by_hand_numpy, (x,))),
            Contender("jax", call_jax, ("jax",)),
            Contender("casadi", call_casadi, ("casadi",)),
            Contender("torch", call_torch, ("torch",)),
            Contender("autograd", call_autograd, ("autograd",)),
            Contender("tape", call_tape, ("gradgen",)),
        ),
        problem=lambda _quick: X,
        reference=by_hand_python,
    ),
    Case(
        "scalar-loop",
        "x = x - 1e-3 * f'(x) in a compiled loop, the same f, float64",
        (
            Contender("gradgen", loop_gradgen, ("gradgen", "numba")),
            Contender("numba", loop_numba, ("numba",)),
            Contender("jax", loop_jax, ("jax",)),
            Contender("python", loop_python),
        ),
        problem=lambda _quick: 10_000,
        reference=lambda steps: descend_python(X, steps),
        per="step",
    ),
)
