"""A long short-term memory network over a sequence of 1,024 vectors: 8 inputs, 16 hidden units, no batch.

    z = Wx x + Wh h + b,  i, f, g, o = the quarters of z
    c = sigmoid(f) c + sigmoid(i) tanh(g),  h = sigmoid(o) tanh(c)        loss = 1/2 mean over steps |h - target|^2

Gradient for Wx, Wh and b. Products of a small matrix with a vector, one after the other: frameworks are made for large
batches, and here every step is too small for them. Once in float64, and once in float32, where PyTorch has a kernel
for the whole loop (in float64 it walks the steps, and takes fifty times as long).
Source: Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000; the order of gates is PyTorch's.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmarks.harness import Call, Case, Contender
from benchmarks.loops.calls import both, gradgen_call, jax_call, value_alone


@dataclass(frozen=True)
class Problem:
    steps: int
    dtype: str = "float64"
    inputs: int = 8
    hidden: int = 16

    @cached_property
    def params(self) -> tuple[np.ndarray, ...]:
        """Wx: f[4 hidden, inputs], Wh: f[4 hidden, hidden], b: f[4 hidden], as PyTorch draws them."""
        rng = np.random.default_rng(1)
        shapes = ((4 * self.hidden, self.inputs), (4 * self.hidden, self.hidden), (4 * self.hidden,))
        return tuple((rng.uniform(-1, 1, shape) / np.sqrt(self.hidden)).astype(self.dtype) for shape in shapes)

    @cached_property
    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """xs: f[steps, inputs], standard normal; targets: f[steps, hidden] in (-1, 1)."""
        rng = np.random.default_rng(2)
        data = rng.standard_normal((self.steps, self.inputs)), rng.uniform(-1, 1, (self.steps, self.hidden))
        return tuple(a.astype(self.dtype) for a in data)

    @property
    def args(self):
        return self.params, *self.data


def cell(xp, sigmoid, state, z):
    """z: the sum of both products and b."""
    h, c = state
    n = h.shape[0]
    c = sigmoid(z[n : 2 * n]) * c + sigmoid(z[:n]) * xp.tanh(z[2 * n : 3 * n])
    h = sigmoid(z[3 * n :]) * xp.tanh(c)
    return h, c


def half_mean_square(errors):
    return 0.5 * (errors * errors).sum() / len(errors)


def gradgen(hoisted=False):
    """`hoisted` computes Wx x + b for all steps at once, before the loop."""

    def build(problem: Problem) -> Call:
        import gradgen as gg

        def loss(params, xs, targets):
            Wx, Wh, b = params

            def body(state, x):
                z = x + Wh @ state[0] if hoisted else Wx @ x + Wh @ state[0] + b
                state = cell(np, gg.nn.sigmoid, state, z)
                return state, state[0]

            zero = np.zeros(problem.hidden, problem.dtype)
            _, hs = gg.scan(body, (zero, zero), xs @ Wx.T + b if hoisted else xs)
            return half_mean_square(hs - targets)

        return gradgen_call(loss, 0, problem.args)

    return build


def jax_scan(hoisted=False, checkpoint=False, unroll=1):
    def build(problem: Problem) -> Call:
        import jax
        import jax.numpy as jnp

        def loss(params, xs, targets):
            Wx, Wh, b = params

            def body(state, x):
                z = x + Wh @ state[0] if hoisted else Wx @ x + Wh @ state[0] + b
                state = cell(jnp, jax.nn.sigmoid, state, z)
                return state, state[0]

            body = jax.checkpoint(body) if checkpoint else body
            zero = jnp.zeros(problem.hidden, problem.dtype)
            _, hs = jax.lax.scan(body, (zero, zero), xs @ Wx.T + b if hoisted else xs, unroll=unroll)
            return half_mean_square(hs - targets)

        return jax_call(loss, 0, problem.args)

    return build


def torch_lstm(problem: Problem) -> Call:
    """nn.LSTM has a second bias, which is zero here and has the gradient of the first."""
    import torch

    torch.set_num_threads(1)  # two take twice as long for steps this small
    model = torch.nn.LSTM(problem.inputs, problem.hidden, dtype=getattr(torch, problem.dtype))
    params = [model.weight_ih_l0, model.weight_hh_l0, model.bias_ih_l0]
    with torch.no_grad():
        for mine, given in zip(params, problem.params, strict=True):
            mine.copy_(torch.from_numpy(given))
        model.bias_hh_l0.zero_()

    def value_and_gradient(xs, targets):
        loss = half_mean_square(model(xs)[0] - targets)
        return loss.detach(), torch.autograd.grad(loss, params)

    return Call(value_and_gradient, tuple(map(torch.from_numpy, problem.data)), read=both)


def numba_primal(problem: Problem) -> Call:
    from benchmarks.loops import lstm_by_hand

    return Call(lstm_by_hand.primal, (*problem.params, *problem.data), read=value_alone)


def numba_adjoint(problem: Problem) -> Call:
    from benchmarks.loops import lstm_by_hand

    return Call(lstm_by_hand.adjoint, (*problem.params, *problem.data), read=both)


def reference(problem: Problem) -> dict:
    """In float64, with the weights and data of `problem`."""
    from benchmarks.loops import lstm_by_hand

    args = (a.astype(np.float64) for a in (*problem.params, *problem.data))
    return both(lstm_by_hand.adjoint(*args))


def case(name: str, dtype: str) -> Case:
    return Case(
        name,
        f"value and gradient of an LSTM, 1,024 steps, 8 inputs, 16 hidden units, for its weights, {dtype}",
        CONTENDERS,
        problem=lambda quick: Problem(64 if quick else 1024, dtype),
        reference=reference,
        unit="ms",
        tolerances={} if dtype == "float64" else {"value": 1e-5},  # Numba returns a float32 as a Python float
    )


CONTENDERS = (
    Contender("gradgen", gradgen(), ("gradgen", "numba")),
    Contender("gradgen-hoisted", gradgen(hoisted=True), ("gradgen", "numba")),
    Contender("jax-scan", jax_scan(), ("jax",)),
    Contender("jax-checkpoint", jax_scan(checkpoint=True), ("jax",)),
    Contender("jax-hoisted", jax_scan(hoisted=True), ("jax",)),
    Contender("jax-hoisted-unroll4", jax_scan(hoisted=True, unroll=4), ("jax",)),
    Contender("torch", torch_lstm, ("torch",)),
    Contender("numba-primal", numba_primal, ("numba", "scipy")),
    Contender("numba-adjoint", numba_adjoint, ("numba", "scipy")),
)

CASE, CASE_32 = case("lstm", "float64"), case("lstm-float32", "float32")
