"""What a new process of the `first-...` cases does: build one contender of a case, and run it once."""

from benchmarks import scalar
from benchmarks.mlp import cases as mlp


def first(case_name: str, contender_name: str) -> float:
    """The contender's first result; of a training step, its loss."""
    case = next(case for case in (*scalar.CASES, *mlp.CASES) if case.name == case_name)
    contender = next(contender for contender in case.contenders if contender.name == contender_name)
    result = contender.build(case.problem(True)).result()
    return float(result["loss"] if isinstance(result, dict) else result)
