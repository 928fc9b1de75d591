"""Import times, and the time to a first result in a new process, of the contenders of two other cases."""

import numpy as np

from benchmarks import scalar
from benchmarks.harness import Case, Contender
from benchmarks.mlp import by_hand
from benchmarks.mlp import cases as mlp
from benchmarks.startup.process import Process

IMPORT = """
import time
start = time.perf_counter()
import {module}
seconds = time.perf_counter() - start
import json
print(json.dumps(dict(seconds=seconds, value=0)))
"""

# The clock starts before the first import, so that a contender's own are counted; those of the harness, NumPy and a few
# modules of the standard library, are counted for all alike.
FIRST = """
import time
start = time.perf_counter()
from benchmarks.startup.first import first
value = first({case!r}, {contender!r})
seconds = time.perf_counter() - start
import json
print(json.dumps(dict(seconds=seconds, value=value)))
"""


def importing(module: str) -> Contender:
    return Contender(module, lambda _: Process(IMPORT.format(module=module)), (module,))


def first_of(case: Case, caches: str, reference) -> Case:
    """The time to the first result of each contender of `case`."""

    def starting(contender: Contender) -> Contender:
        code = FIRST.format(case=case.name, contender=contender.name)
        return Contender(contender.name, lambda _: Process(code, caches), contender.needs)

    return Case(
        f"first-{case.name.removesuffix('-call')}-{caches}",
        f"imports and first result of {case.name} in a new process, {caches} caches",
        tuple(starting(contender) for contender in case.contenders),
        problem=case.problem,
        reference=reference,
        per="process",
        unit="s",
        tolerances={"": 1e-4},
        rounds=5,
    )


def first_loss(problem) -> np.ndarray:
    return by_hand.reference_step(problem)["loss"]


CALLS = ((scalar.CASES[0], scalar.by_hand_python), (mlp.CASES[2], first_loss))

CASES = (
    Case(
        "import",
        "time of the import statement in a new process",
        tuple(importing(module) for module in ("gradgen", "numpy", "numba", "autograd", "casadi", "jax", "torch")),
        problem=lambda _quick: None,
        reference=lambda _: 0,
        per="process",
        unit="s",
        rounds=7,
    ),
    *(first_of(case, caches, reference) for case, reference in CALLS for caches in ("cold", "warm")),
)
