"""10,000 steps of Runge and Kutta's fourth-order method for the equations of Lotka and Volterra.

    x' = a x - b x y,  y' = c x y - d y        loss = x^2 + y^2 at the end

Gradient for a, b, c, d and for x, y at the start. Two numbers of state and a hundred operations a step: whatever a
system does once per step and does not compute with, shows.
"""

from dataclasses import dataclass

from benchmarks.harness import Call, Case, Contender
from benchmarks.loops.calls import both, gradgen_call, jax_call, value_alone


@dataclass(frozen=True)
class Problem:
    """Prey and predators per area, rates per time; `dt` is a hundredth of that time."""

    steps: int
    dt: float = 0.01
    params: tuple[float, ...] = (1.1, 0.4, 0.1, 0.4)
    start: tuple[float, float] = (10.0, 10.0)

    @property
    def args(self):
        return self.params, self.start


def field(state, params):
    x, y = state
    a, b, c, d = params
    return a * x - b * x * y, c * x * y - d * y


def step(state, params, h):
    """One step for a tuple of numbers, or of arrays that hold one system in each entry."""

    def moved(by, k):
        return tuple(s + by * ks for s, ks in zip(state, k, strict=True))

    k1 = field(state, params)
    k2 = field(moved(h / 2, k1), params)
    k3 = field(moved(h / 2, k2), params)
    k4 = field(moved(h, k3), params)
    return tuple(s + h / 6 * (p + 2 * q + 2 * r + t) for s, p, q, r, t in zip(state, k1, k2, k3, k4, strict=True))


def gradgen(problem: Problem) -> Call:
    import gradgen as gg

    def loss(params, start):
        x, y = gg.fori_loop(0, problem.steps, lambda _, state: step(state, params, problem.dt), start)
        return x * x + y * y

    return gradgen_call(loss, (0, 1), problem.args)


def jax_scan(unroll=1, checkpoint=False):
    """As people write it; unroll and checkpoint are the two remedies that JAX offers.

    With a small array as the state, the other common form, all three take longer, the last one 18 times as long.
    """

    def build(problem: Problem) -> Call:
        import jax

        def loss(params, start):
            def body(state, _):
                return step(state, params, problem.dt), None

            body = jax.checkpoint(body) if checkpoint else body
            (x, y), _ = jax.lax.scan(body, start, None, length=problem.steps, unroll=unroll)
            return x * x + y * y

        return jax_call(loss, (0, 1), problem.args)

    return build


def numba_primal(problem: Problem) -> Call:
    from benchmarks.loops import rk4_by_hand

    return Call(rk4_by_hand.primal, (*problem.args, problem.dt, problem.steps), read=value_alone)


def numba_adjoint(problem: Problem) -> Call:
    from benchmarks.loops import rk4_by_hand

    return Call(rk4_by_hand.adjoint, (*problem.args, problem.dt, problem.steps), read=both)


CASE = Case(
    "rk4",
    "value and gradient of 10,000 RK4 steps, 2 state variables, 4 parameters, float64",
    (
        Contender("gradgen", gradgen, ("gradgen", "numba")),
        Contender("jax-scan", jax_scan(), ("jax",)),
        Contender("jax-unroll4", jax_scan(unroll=4), ("jax",)),
        Contender("jax-checkpoint", jax_scan(checkpoint=True), ("jax",)),
        Contender("numba-primal", numba_primal, ("numba",)),
        Contender("numba-adjoint", numba_adjoint, ("numba",)),
    ),
    problem=lambda quick: Problem(500 if quick else 10_000),
    reference=lambda problem: numba_adjoint(problem).result(),
    unit="ms",
)
