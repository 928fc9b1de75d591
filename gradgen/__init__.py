"""gradgen turns a NumPy function into readable, compiled derivative code."""

from gradgen.api import grad, hessian, hvp, jacobian, jit, jvp, value_and_grad, vjp, vmap
from gradgen.ops import stop_gradient

__version__ = "0.1.0"
__all__ = ["grad", "hessian", "hvp", "jacobian", "jit", "jvp", "stop_gradient", "value_and_grad", "vjp", "vmap"]
