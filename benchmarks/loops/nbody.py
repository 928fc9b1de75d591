"""20 bodies in space, 200 leapfrog steps (drift, kick, drift) under softened gravity.

    a_i = sum_j m_j (x_j - x_i) / (|x_j - x_i|^2 + eps^2)^(3/2)        loss = 1/2 sum |x - target|^2 at the end

Gradient for the positions and velocities at the start and for the masses. The arrays of a step are small (20 x 20 x 3
by broadcasting): a system that makes each of them in memory, or saves them for the way back, pays for it here.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmarks.harness import Call, Case, Contender
from benchmarks.loops.calls import both, gradgen_call, jax_call, value_alone

SOFTENING = 0.1


@dataclass(frozen=True)
class Problem:
    """Units in which the constant of gravity is 1; the bodies together weigh about 1 and fall for about 1."""

    steps: int
    bodies: int = 20
    dt: float = 0.005

    @cached_property
    def args(self) -> tuple[np.ndarray, ...]:
        """x: f64[bodies, 3], v: f64[bodies, 3], m: f64[bodies], target: f64[bodies, 3]."""
        rng = np.random.default_rng(1)
        x = rng.standard_normal((self.bodies, 3))
        v = 0.3 * rng.standard_normal((self.bodies, 3))
        return x, v, rng.uniform(0.5, 1.5, self.bodies) / self.bodies, x + v


def acceleration(root, x, m):
    """Pairs by broadcasting. root(s) is s^(-1/2): the power -3/2 as its cube is the fastest form in each system."""
    away = x[None, :, :] - x[:, None, :]
    inverse = root((away * away).sum(-1) + SOFTENING**2)
    return ((m * inverse * inverse * inverse)[:, :, None] * away).sum(1)


def leapfrog(root, state, m, h):
    x, v = state
    x = x + h / 2 * v
    v = v + h * acceleration(root, x, m)
    return x + h / 2 * v, v


def half_square(error):
    return 0.5 * (error * error).sum()


def gradgen(problem: Problem) -> Call:
    import gradgen as gg

    def root(s):
        return 1 / np.sqrt(s)

    def loss(x, v, m, target):
        x, _ = gg.fori_loop(0, problem.steps, lambda _, state: leapfrog(root, state, m, problem.dt), (x, v))
        return half_square(x - target)

    return gradgen_call(loss, (0, 1, 2), problem.args)


def jax_scan(checkpoint=False, unroll=1):
    """With pairs as matrix products, or one array for each axis, it takes about as long."""

    def build(problem: Problem) -> Call:
        import jax

        def loss(x, v, m, target):
            def body(state, _):
                return leapfrog(jax.lax.rsqrt, state, m, problem.dt), None

            body = jax.checkpoint(body) if checkpoint else body
            (x, _), _ = jax.lax.scan(body, (x, v), None, length=problem.steps, unroll=unroll)
            return half_square(x - target)

        return jax_call(loss, (0, 1, 2), problem.args)

    return build


def numba_primal(problem: Problem) -> Call:
    from benchmarks.loops import nbody_by_hand

    return Call(nbody_by_hand.primal, (*problem.args, problem.dt, problem.steps), read=value_alone)


def numba_adjoint(problem: Problem) -> Call:
    from benchmarks.loops import nbody_by_hand

    return Call(nbody_by_hand.adjoint, (*problem.args, problem.dt, problem.steps), read=both)


CASE = Case(
    "nbody",
    "value and gradient of 200 leapfrog steps of 20 bodies, for positions, velocities and masses, float64",
    (
        Contender("gradgen", gradgen, ("gradgen", "numba")),
        Contender("jax-scan", jax_scan(), ("jax",)),
        Contender("jax-checkpoint", jax_scan(checkpoint=True), ("jax",)),
        Contender("jax-checkpoint-unroll8", jax_scan(checkpoint=True, unroll=8), ("jax",)),
        Contender("numba-primal", numba_primal, ("numba",)),
        Contender("numba-adjoint", numba_adjoint, ("numba",)),
    ),
    problem=lambda quick: Problem(20 if quick else 200),
    reference=lambda problem: numba_adjoint(problem).result(),
    unit="ms",
)
