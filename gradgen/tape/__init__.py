"""The interpreted tape: derivatives without a compiler, operation by operation.

It reads the same op records as the compiler and shares nothing else with it, which makes it three things: the copy to
learn from (`record` shows every gate), the oracle of the tests, and the baseline of the benchmarks.
"""

from gradgen.tape.box import Box, Tape, no_grad
from gradgen.tape.gates import Gate
from gradgen.tape.transforms import grad, value_and_grad, vjp

__all__ = ["Box", "Gate", "Tape", "grad", "no_grad", "value_and_grad", "vjp"]
