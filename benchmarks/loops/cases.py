"""Every case of loops, in the order in which they run."""

from benchmarks.harness import Case
from benchmarks.loops import compiling, heat, lstm, memory, nbody, pendulum, rk4

CASES: tuple[Case, ...] = (
    rk4.CASE,
    heat.CASE,
    nbody.CASE,
    lstm.CASE,
    lstm.CASE_32,
    pendulum.CASE,
    memory.CASE,
    *compiling.CASES,
)
