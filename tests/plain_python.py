"""Generated code run as the plain Python that it is: what was scheduled and printed is tested without a compiler."""

import math
import re

import numpy as np

from gradgen.ops.functions import sigmoid
from gradgen.runtime.kernel import Kernel

RENAMED = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2"}


class _Math:
    """`math` as Numba's `error_model="numpy"` has it: nan and inf where Python raises."""

    nan, inf = math.nan, math.inf

    def __getattr__(self, name):
        return getattr(np, RENAMED.get(name, name))


def _carve(memory, start, shape):
    return memory.reshape(-1)[start : start + math.prod(np.atleast_1d(shape).tolist())].reshape(shape)


def _emptied(stack):
    return np.empty((0, *stack.shape[1:]), stack.dtype)


def _grown(stack, _count):
    return np.concatenate([stack, np.empty_like(stack)])


def _add_matmul(out, a, b, scale):
    assert not np.shares_memory(out, a), "BLAS writes over what it reads"
    assert not np.shares_memory(out, b), "BLAS writes over what it reads"
    out += scale * (a @ b)


def _elementary(name: str):
    return sigmoid.eval if name.startswith("sigmoid") else getattr(np, re.sub(r"(8|16|32|64)$", "", name))


def functions(kernel: Kernel) -> dict:
    """The functions of a kernel's module by name, as Python functions."""
    imported = re.findall(r"^from gradgen\.runtime\.vecmath import (.*)$", kernel.source, re.M)
    text = re.sub(r"^(from gradgen|from numba|import math).*$", "", kernel.source, flags=re.M)
    space = {"njit": lambda **_: lambda f: f, "prange": range, "math": _Math(), "np": np, "carve": _carve}
    space |= {"opaque": lambda i: i, "emptied": _emptied, "grown": _grown, "add_matmul": _add_matmul}
    space |= {name: _elementary(name) for line in imported for name in line.split(", ")}
    exec(compile(text, kernel.name, "exec"), space)
    return space


def run(kernel: Kernel, values, name: str | None = None) -> list:
    """The flat results of one function of the kernel, by default the whole."""
    copies = [v.copy() if isinstance(v, np.ndarray) else v for v in values]
    with np.errstate(all="ignore"):
        found = functions(kernel)[name or kernel.name](*copies)
    for v, copy in zip(values, copies, strict=True):
        np.testing.assert_array_equal(v, copy, err_msg="an input was changed")
    return list(found) if isinstance(found, tuple) else [found]
