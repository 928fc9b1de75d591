"""A damped pendulum, let go at rest, until it first hangs straight down: a loop that ends when it finds that it should.

    speed' = -g / length sin(angle) - damping speed,  angle' = speed        semi-implicit Euler steps while angle > 0
    time = steps dt - angle / speed  (back along the last step to the zero)
    loss = (time - observed time)^2 + (speed - observed speed)^2

Gradient for length, damping and the angle at the start. 6,437 steps, a number that is known only when they are done:
reverse mode has to remember them all, so JAX, whose arrays have fixed sizes, offers forward mode alone.
"""

from dataclasses import dataclass

import numpy as np

from benchmarks.harness import Call, Case, Contender
from benchmarks.loops.calls import both, gradgen_call, jax_call_of, value_alone

GRAVITY = 9.81


@dataclass(frozen=True)
class Problem:
    """Metres, seconds, radians."""

    dt: float
    length: float = 1.3
    damping: float = 0.2
    angle: float = 1.2
    time: float = 0.6
    speed: float = -3.0

    @property
    def args(self):
        return self.length, self.damping, self.angle

    @property
    def observed(self):
        return self.time, self.speed


def step(sin, state, length, damping, dt):
    angle, speed, time = state
    speed = speed + dt * (-GRAVITY / length * sin(angle) - damping * speed)
    return angle + dt * speed, speed, time + dt


def mismatch(state, problem: Problem):
    angle, speed, time = state
    return (time - angle / speed - problem.time) ** 2 + (speed - problem.speed) ** 2


def gradgen(problem: Problem) -> Call:
    import gradgen as gg

    def loss(length, damping, angle):
        def body(state):
            return step(np.sin, state, length, damping, problem.dt)

        return mismatch(gg.while_loop(lambda state: state[0] > 0, body, (angle, 0.0, 0.0)), problem)

    return gradgen_call(loss, (0, 1, 2), problem.args)


def jax_forward(problem: Problem) -> Call:
    """Value and gradient in one loop, through jacfwd's auxiliary output."""
    import jax
    import jax.numpy as jnp

    def loss(length, damping, angle):
        def body(state):
            return step(jnp.sin, state, length, damping, problem.dt)

        value = mismatch(jax.lax.while_loop(lambda state: state[0] > 0, body, (angle, 0.0, 0.0)), problem)
        return value, value

    def value_and_gradient(*args):
        gradient, value = jax.jacfwd(loss, argnums=(0, 1, 2), has_aux=True)(*args)
        return value, gradient

    return jax_call_of(value_and_gradient, problem.args)


def numba_primal(problem: Problem) -> Call:
    from benchmarks.loops import pendulum_by_hand

    return Call(pendulum_by_hand.primal, (*problem.args, problem.observed, problem.dt), read=value_alone)


def numba_adjoint(problem: Problem) -> Call:
    from benchmarks.loops import pendulum_by_hand

    return Call(pendulum_by_hand.adjoint, (*problem.args, problem.observed, problem.dt), read=both)


CASE = Case(
    "pendulum",
    "value and gradient of a pendulum's steps until it crosses zero, for 3 parameters, float64",
    (
        Contender("gradgen", gradgen, ("gradgen", "numba")),
        Contender("jax-forward", jax_forward, ("jax",)),
        Contender("numba-primal", numba_primal, ("numba",)),
        Contender("numba-adjoint", numba_adjoint, ("numba",)),
    ),
    problem=lambda quick: Problem(1e-3 if quick else 1e-4),
    reference=lambda problem: numba_adjoint(problem).result(),
    unit="ms",
)
