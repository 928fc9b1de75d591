"""Every case, in the order in which they run."""

from benchmarks import scalar
from benchmarks.harness import Case
from benchmarks.loops import cases as loops
from benchmarks.mlp import cases as mlp
from benchmarks.startup import cases as startup

CASES: tuple[Case, ...] = (*scalar.CASES, *mlp.CASES, *loops.CASES, *startup.CASES)
