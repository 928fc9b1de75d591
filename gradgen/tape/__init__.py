"""The interpreted tape: derivatives without a compiler, operation by operation.

It reads the same op records as the compiler and shares nothing else with it, which makes it three things: the copy to
learn from (`record` shows every gate), the oracle of the tests, and the baseline of the benchmarks.

    tapes       what one transformation records       gates      one operation, forward and back
    box         values that record                    sweep      back through all gates
    operators   + * @ < on boxes                      transforms grad, value_and_grad, vjp
    recording   a computation as a table
"""

import gradgen.tape.operators  # noqa: F401 (it gives boxes their operators)
from gradgen.tape.gates import Gate
from gradgen.tape.recording import Recording, record
from gradgen.tape.tapes import no_grad
from gradgen.tape.transforms import grad, value_and_grad, vjp

__all__ = ["Gate", "Recording", "grad", "no_grad", "record", "value_and_grad", "vjp"]
