"""200,000 RK4 steps of 64 systems at once: what it costs to store them all, and what `checkpoint` saves.

The equations of rk4.py with numbers of its own for each system: a carry is 1 kB, all of them are 205 MB. Two numbers
count: the time, and how far the memory of the process rises while it computes, which stands behind the times.
"""

import contextlib
import math
import re
import resource
import sys
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from benchmarks.harness import Call, Case, Contender
from benchmarks.loops.calls import both, jax_call, value_alone
from benchmarks.loops.rk4 import step

SYSTEMS = 64


@dataclass(frozen=True)
class Problem:
    steps: int
    dt: float = 0.002

    @cached_property
    def args(self):
        """params: four, and start: two arrays f64[64], within 20 % of those of rk4.py."""
        rng = np.random.default_rng(1)
        params, start = (1.1, 0.4, 0.1, 0.4), (10.0, 10.0)
        return tuple(tuple(p * rng.uniform(0.8, 1.2, SYSTEMS) for p in group) for group in (params, start))


@dataclass
class Weighed(Call):
    """A Call that also tells the peak of memory, in MB above what the process holds before the compared call.

    Its function has been compiled, since compilers take more memory than some contenders do.
    """

    facts: dict = field(default_factory=dict)

    def result(self):
        before = reset_peak()
        result = super().result()
        self.facts["peak MB"] = round((peak() - before) / 1e6, 1)
        return result


STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def reset_peak() -> int:
    """Bytes that the process holds now. Where the system allows it, the peak starts anew from them (proc(5))."""
    with contextlib.suppress(OSError):
        CLEAR.write_text("5")
    return peak()


def peak() -> int:
    """The most bytes held so far. getrusage counts from the size of the process that started this one on Linux."""
    if STATUS.exists():
        return 1024 * int(re.search(r"VmHWM:\s+(\d+)", STATUS.read_text())[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def square(state):
    return sum((s * s).sum() for s in state)


def gradgen(checkpoint=False):
    def build(problem: Problem) -> Call:
        import gradgen as gg

        def integrate(params, start):
            return gg.fori_loop(0, problem.steps, lambda _, state: step(state, params, problem.dt), start)

        run = gg.checkpoint(integrate) if checkpoint else integrate
        derivative = gg.value_and_grad(lambda params, start: square(run(params, start)), argnums=(0, 1))
        compile_only(derivative.kernel(*problem.args).njit, (*problem.args[0], *problem.args[1]))
        return Weighed(derivative, problem.args, read=both)

    return build


def compile_only(dispatcher, args):
    """Numba's compilation for the types of args, without a call."""
    import numba

    dispatcher.compile(tuple(map(numba.typeof, args)))


def jax_scan(nested=False):
    """The body checkpointed; with `nested`, in groups of steps that are checkpointed too: JAX's way to bound memory."""

    def build(problem: Problem) -> Call:
        import jax

        groups = math.gcd(problem.steps, 500) if nested else 1

        def loss(params, start):
            @jax.checkpoint
            def body(state, _):
                return step(state, params, problem.dt), None

            def group(state, _):
                return jax.lax.scan(body, state, None, length=problem.steps // groups)

            if nested:
                return square(jax.lax.scan(jax.checkpoint(group), start, None, length=groups)[0])
            return square(group(start, None)[0])

        call = jax_call(loss, (0, 1), problem.args, ahead=True)
        return Weighed(call.function, call.args, read=both, context=call.context)

    return build


def numba_primal(problem: Problem) -> Call:
    from benchmarks.loops import memory_by_hand

    return by_hand(memory_by_hand.primal, problem, value_alone)


def numba_adjoint(problem: Problem) -> Call:
    from benchmarks.loops import memory_by_hand

    return by_hand(memory_by_hand.adjoint, problem, lambda result: both((result[0], tuple(map(tuple, result[1])))))


def by_hand(function, problem: Problem, read) -> Call:
    args = (*map(np.array, problem.args), problem.dt)
    function(*args, 1)
    return Weighed(function, (*args, problem.steps), read=read)


CASE = Case(
    "rk4-checkpoint",
    "value and gradient of 200,000 RK4 steps of 64 systems: all stored, or checkpointed, float64",
    (
        Contender("gradgen", gradgen(), ("gradgen", "numba")),
        Contender("gradgen-checkpoint", gradgen(checkpoint=True), ("gradgen", "numba")),
        Contender("jax-checkpoint", jax_scan(), ("jax",)),
        Contender("jax-nested", jax_scan(nested=True), ("jax",)),
        Contender("numba-primal", numba_primal, ("numba",)),
        Contender("numba-adjoint", numba_adjoint, ("numba",)),
    ),
    problem=lambda quick: Problem(2_500 if quick else 200_000),
    reference=lambda problem: numba_adjoint(problem).result(),
    unit="s",
    rounds=5,
)
