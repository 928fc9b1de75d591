"""Four networks, each as steps called from Python and as a compiled training loop."""

from benchmarks.harness import Call, Case, Contender
from benchmarks.mlp import by_hand, frameworks, gradgen_steps
from benchmarks.mlp.problem import Problem

# sizes, batch, loss, batches in an epoch, epochs of a timed run (about 0.2 s)
NETWORKS = (
    ((2, 16, 2), 32, "mse", 320, 100),
    ((64, 64, 10), 32, "softmax", 160, 60),
    ((784, 256, 128, 10), 128, "softmax", 16, 15),
    ((784, 1024, 1024, 10), 256, "softmax", 8, 3),
)

CALL = (
    Contender("gradgen", gradgen_steps.call_gradgen, ("gradgen",)),
    Contender("gradgen-grad", gradgen_steps.call_gradgen_grad, ("gradgen",)),
    Contender("jax", frameworks.call_jax, ("jax",)),
    Contender("jax-sync", frameworks.call_jax_sync, ("jax",)),
    Contender("numpy", by_hand.call),
    Contender("torch", frameworks.call_torch, ("torch",)),
    Contender("autograd", frameworks.call_autograd, ("autograd", "scipy")),
    Contender("tape", gradgen_steps.call_tape, ("gradgen",)),
)


def loop_numba(problem: Problem) -> Call:
    from benchmarks.mlp import numba_sketch  # imports Numba

    return numba_sketch.loop(problem)


LOOP = (
    Contender("gradgen", gradgen_steps.loop_gradgen, ("gradgen", "numba")),
    Contender("gradgen-njit", gradgen_steps.loop_gradgen_njit, ("gradgen", "numba")),
    Contender("numba", loop_numba, ("numba", "scipy")),
    Contender("jax", frameworks.loop_jax, ("jax",)),
)


def both(sizes, batch, loss, batches, epochs) -> tuple[Case, Case]:
    def problem(quick: bool) -> Problem:
        return Problem(sizes, batch, loss, batches, 1 if quick else epochs)

    name = f"mlp-{'-'.join(map(str, sizes))}"
    about = f"value, gradient and update, {'-'.join(map(str, sizes))}, batch {batch}, float32"
    call = Case(
        f"{name}-call",
        f"{about}, called from Python",
        CALL,
        problem,
        by_hand.reference_step,
        per="step",
        tolerances={"change": 1e-3},  # a difference of parameters, so it has their roundings
    )
    loop = Case(
        f"{name}-loop",
        f"{about}, in a compiled loop with choice of batch",
        LOOP,
        problem,
        by_hand.reference_epoch,
        per="step",
        tolerances={"change": 1e-2, "whole loss": 5e-2},  # hundreds of steps; gg.fit shuffles in its own order
    )
    return call, loop


CASES = tuple(case for network in NETWORKS for case in both(*network))
