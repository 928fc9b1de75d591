"""A function of each system -> an Entry. All give {"value": number, "gradient": tree}, or the value alone.

The tree is that of the arguments asked for: tuples of arrays and numbers, in the order of the reference.
"""

import functools
from collections.abc import Callable

import numpy as np

from benchmarks.harness import Call
from benchmarks.jax_precision import precision


def both(result) -> dict:
    """(value, gradient) as the comparison wants it."""
    value, gradient = result
    return {"value": np.asarray(value), "gradient": plain(gradient)}


def value_alone(result) -> dict:
    return {"value": np.asarray(result)}


def plain(tree):
    return tuple(map(plain, tree)) if isinstance(tree, (tuple, list)) else np.asarray(tree)


def gradgen_call(loss: Callable, argnums, args) -> Call:
    import gradgen as gg

    return Call(gg.value_and_grad(loss, argnums=argnums), args, read=both)


def jax_call(loss: Callable, argnums, args, ahead=False) -> Call:
    """Value and gradient of `loss`, compiled as one."""
    import jax

    return jax_call_of(jax.value_and_grad(loss, argnums=argnums), args, ahead)


def jax_call_of(value_and_gradient: Callable, args, ahead=False) -> Call:
    """`ahead` compiles now, without the first call."""
    import jax

    compiled = jax.jit(value_and_gradient)
    with precision(64):
        args = jax.device_put(args)
        if ahead:
            compiled = compiled.lower(*args).compile()

    def run(*args):
        result = compiled(*args)
        result[0].block_until_ready()  # the results of one executable are ready together
        return result

    return Call(run, args, read=both, context=functools.partial(precision, 64))
