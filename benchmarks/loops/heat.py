"""The heat equation on a rod: 1,000 explicit steps of 1,000 cells, with a diffusivity for each face between two.

    flux[i] = k[i] * (u[i + 1] - u[i]),  u[i] += flux[i] - flux[i - 1]  inside; the two ends stay
    loss = 1/2 |u - observed|^2 at the end

Gradient for k. Each step reads and writes 8 kB with little arithmetic: what counts is that a step is one pass over the
cells, forward and back, and that nothing is copied which could be written in place.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmarks.harness import Call, Case, Contender
from benchmarks.loops.calls import both, gradgen_call, jax_call, value_alone


@dataclass(frozen=True)
class Problem:
    """Lengths in cells and times in steps, so that k below 1/2 is stable."""

    steps: int
    cells: int = 1000

    @cached_property
    def k(self) -> np.ndarray:
        return np.random.default_rng(1).uniform(0.1, 0.4, self.cells - 1)

    @cached_property
    def start(self) -> np.ndarray:
        """Hot spots on a slope."""
        x = np.linspace(0, 1, self.cells)
        return x + np.sin(12 * np.pi * x) ** 2

    @cached_property
    def observed(self) -> np.ndarray:
        return np.linspace(0, 1, self.cells) + 0.4

    @property
    def args(self):
        return self.k, self.start, self.observed


def step_at(k, u):
    """The inside written in place, through NumPy's slices and the `at` that arrays have in gradgen and in JAX."""
    flux = k * (u[1:] - u[:-1])
    return u.at[1:-1].add(flux[1:] - flux[:-1])


def step_joined(xp):
    """The inside joined to the two ends."""

    def step(k, u):
        flux = k * (u[1:] - u[:-1])
        return xp.concatenate((u[:1], u[1:-1] + (flux[1:] - flux[:-1]), u[-1:]))

    return step


def step_padded(xp):
    """The change padded with zeros: the fastest that was found for JAX, of these three and one with `roll`."""

    def step(k, u):
        flux = k * (u[1:] - u[:-1])
        return u + xp.pad(flux[1:] - flux[:-1], 1)

    return step


def half_square(error):
    return 0.5 * (error * error).sum()


def gradgen(form):
    def build(problem: Problem) -> Call:
        import gradgen as gg

        step = form(np)

        def loss(k, start, observed):
            return half_square(gg.fori_loop(0, problem.steps, lambda _, u: step(k, u), start) - observed)

        return gradgen_call(loss, 0, problem.args)

    return build


def jax_scan(form, checkpoint=False):
    def build(problem: Problem) -> Call:
        import jax
        import jax.numpy as jnp

        step = form(jnp)

        def loss(k, start, observed):
            def body(u, _):
                return step(k, u), None

            body = jax.checkpoint(body) if checkpoint else body
            return half_square(jax.lax.scan(body, start, None, length=problem.steps)[0] - observed)

        return jax_call(loss, 0, problem.args)

    return build


def numba_primal(problem: Problem) -> Call:
    from benchmarks.loops import heat_by_hand

    return Call(heat_by_hand.primal, (*problem.args, problem.steps), read=value_alone)


def numba_adjoint(problem: Problem) -> Call:
    from benchmarks.loops import heat_by_hand

    return Call(heat_by_hand.adjoint, (*problem.args, problem.steps), read=both)


CASE = Case(
    "heat",
    "value and gradient of 1,000 steps of the heat equation, 1,000 cells, for the diffusivity, float64",
    (
        Contender("gradgen", gradgen(lambda _: step_at), ("gradgen", "numba")),
        Contender("gradgen-joined", gradgen(step_joined), ("gradgen", "numba")),
        Contender("jax-at", jax_scan(lambda _: step_at), ("jax",)),
        Contender("jax-joined", jax_scan(step_joined), ("jax",)),
        Contender("jax-padded", jax_scan(step_padded), ("jax",)),
        Contender("jax-padded-checkpoint", jax_scan(step_padded, checkpoint=True), ("jax",)),
        Contender("numba-primal", numba_primal, ("numba",)),
        Contender("numba-adjoint", numba_adjoint, ("numba",)),
    ),
    problem=lambda quick: Problem(50 if quick else 1000),
    reference=lambda problem: numba_adjoint(problem).result(),
    unit="ms",
)
