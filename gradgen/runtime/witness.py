"""What a user's cached machine code needs to know of the gradgen functions that are linked into it.

in:  a gradgen function, the arguments it was asked about, the kernel that it gave
out: machine code of the user's @njit(cache=True) function that is used only while the function still gives that kernel

Numba's cache sees a change in the user's file, never one in a file that it imports from, nor an update of gradgen. But
with machine code it pickles the environments (constants that are Python objects) of all functions linked into it, and
takes an OSError in unpickling for a missing file. So a Witness is put among the constants of each kernel that a user's
function calls, and its unpickling asks the gradgen function for its kernel again: a trace, no compilation. That also
imports the kernel's module, without which Numba could not restore the environment.
"""

from __future__ import annotations

import pickle
import weakref
from typing import Any


class StaleError(OSError):
    """The gradgen function is gone or has changed: Numba is to compile its caller again."""


class Witness:
    """That `function` gives `kernel` for `arguments`."""

    def __init__(self, function: Any, arguments: tuple, kernel: Any):
        # weak: the kernel's environment outlives the function
        self.function, self.arguments, self.identity = weakref.ref(function), arguments, identity(kernel)

    def attach(self, environment) -> None:
        """Have all code that the function of this environment is linked into carry this witness."""
        environment.consts.append(self)

    def __reduce__(self):
        return confirmed, (pickled((self.function(), self.arguments)), self.identity)


def identity(kernel) -> tuple[str, str]:
    """The module and name of a kernel: its module's name carries the hash of all that it depends on."""
    return kernel.py_func.__module__, kernel.py_func.__qualname__


def confirmed(data: bytes | None, expected: tuple[str, str]) -> Witness:
    """The witness again, in another process. Raises StaleError if the function now gives another kernel."""
    found = unpickled(data)
    if found is None:
        raise StaleError("the gradgen function can't be found again")
    function, arguments = found
    try:
        answer = function.kernel_for_types(arguments)
    except Exception as error:  # the user meets it where it belongs, when the caller is compiled again
        raise StaleError("the gradgen function has changed") from error
    kernel = answer[0] if isinstance(answer, tuple) else answer
    if identity(kernel) != expected:
        raise StaleError("the gradgen function has changed")
    return Witness(function, arguments, kernel)


def pickled(value: object) -> bytes | None:
    """By plain pickle, whose functions are references to what a file defines today; None if it has no such form."""
    try:
        return pickle.dumps(value)
    except Exception:  # closures, lambdas, functions of a notebook: pickling raises anything
        return None


def unpickled(data: bytes | None) -> Any:
    """The value again; None if it is gone."""
    try:
        return None if data is None else pickle.loads(data)
    except Exception:
        return None
