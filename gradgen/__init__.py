"""gradgen turns a NumPy function into readable, compiled derivative code."""

from importlib import import_module as _import_module

from gradgen import errors
from gradgen.api import grad, hessian, hvp, jacobian, jit, jvp, value_and_grad, vjp, vmap
from gradgen.ops import stop_gradient
from gradgen.trace.checkpoint import checkpoint
from gradgen.trace.control import cond, fori_loop, scan, while_loop
from gradgen.trace.making import empty, empty_like, full, full_like, ones, ones_like, zeros, zeros_like

__version__ = "0.1.0"
__all__ = [
    "FitResult", "checkpoint", "cond", "empty", "empty_like", "errors", "fit", "fori_loop", "full", "full_like",
    "grad", "hessian", "hvp", "jacobian", "jit", "jvp", "nn", "no_grad", "ones", "ones_like", "optim", "scan",
    "stop_gradient", "tape", "testing", "value_and_grad", "vjp", "vmap", "while_loop", "zeros", "zeros_like",
]  # fmt: skip

# What `import gradgen` need not load: name -> module, and the attribute of it where that is meant.
_LATER = {
    "nn": ("gradgen.nn", None), "optim": ("gradgen.optim", None), "tape": ("gradgen.tape", None),
    "testing": ("gradgen.testing", None), "no_grad": ("gradgen.tape", "no_grad"),
    "fit": ("gradgen.train", "fit"), "FitResult": ("gradgen.train", "FitResult"),
}  # fmt: skip


def __getattr__(name: str):
    if name not in _LATER:
        raise AttributeError(f"module 'gradgen' has no attribute {name!r}")
    module, attribute = _LATER[name]
    found = _import_module(module)
    return found if attribute is None else getattr(found, attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
