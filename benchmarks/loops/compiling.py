"""What a new process waits for each loop: from the imports done to the first value and gradient."""

from benchmarks.harness import Case, Contender
from benchmarks.loops import heat, lstm, nbody, pendulum, rk4
from benchmarks.startup.process import Process

# The compilers' own imports come before the clock starts; the first run, of the small problem, is within.
FIRST = """
import importlib, time
for module in {needs!r}:
    importlib.import_module(module)
from benchmarks.loops.compiling import first
start = time.perf_counter()
value = first({case!r}, {contender!r})
seconds = time.perf_counter() - start
import json
print(json.dumps(dict(seconds=seconds, value=value)))
"""
LOOPS = (rk4.CASE, heat.CASE, nbody.CASE, lstm.CASE, pendulum.CASE)
# With JAX's fastest form of each.
COMPARED = {
    "rk4": ("gradgen", "jax-checkpoint", "numba-adjoint"),
    "heat": ("gradgen", "jax-padded", "numba-adjoint"),
    "nbody": ("gradgen", "jax-checkpoint-unroll8", "numba-adjoint"),
    "lstm": ("gradgen", "jax-hoisted-unroll4", "numba-adjoint"),
    "pendulum": ("gradgen", "jax-forward", "numba-adjoint"),
}


def first(case_name: str, contender_name: str) -> float:
    """The value that the contender gives first."""
    case = next(case for case in LOOPS if case.name == case_name)
    contender = next(contender for contender in case.contenders if contender.name == contender_name)
    return float(contender.build(case.problem(True)).result()["value"])


def compiling(case: Case, caches: str) -> Case:
    """The time to the first result of the contenders of `case`, without that of imports."""

    def starting(contender: Contender) -> Contender:
        code = FIRST.format(case=case.name, contender=contender.name, needs=contender.needs)
        return Contender(contender.name, lambda _: Process(code, caches), contender.needs)

    return Case(
        f"compile-{case.name}-{caches}",
        f"first value and gradient of {case.name} after imports, in a new process, {caches} caches",
        tuple(starting(contender) for contender in case.contenders if contender.name in COMPARED[case.name]),
        problem=case.problem,
        reference=lambda _: case.reference(case.problem(True))["value"],
        per="process",
        unit="s",
        rounds=3,
    )


CASES = tuple(compiling(case, caches) for case in LOOPS for caches in ("cold", "warm"))
