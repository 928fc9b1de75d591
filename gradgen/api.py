"""What users call. Each verb makes a compiled function; `pipeline.build` does the rest when it is called."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from gradgen.binding import by_position
from gradgen.compiled import CompiledFunction, Halves, Settings
from gradgen.differentiate import mapping, transforms
from gradgen.differentiate.jacobian import jacobian as jacobian_of
from gradgen.errors import ArgumentError
from gradgen.ir.graph import Graph
from gradgen.ir.types import Type
from gradgen.keeping import kept
from gradgen.pullback import pull
from gradgen.runtime.kernel import Options
from gradgen.trace.arguments import parameter_names, resolve_argnums

SIZES = ("auto", "static", "symbolic")


def settings(
    static=(), signature=None, sizes="auto", cache=True, fastmath=None, parallel=False, donate=(), **unknown
) -> Settings:
    """The options that all verbs share, checked. Raises ArgumentError."""
    if unknown:
        raise ArgumentError(f"no option {next(iter(unknown))!r}",
                            hint="static, signature, sizes, cache, fastmath, parallel (docs/options.md)")  # fmt: skip
    if sizes not in SIZES:
        raise ArgumentError(f"sizes={sizes!r}", hint=f"one of {', '.join(map(repr, SIZES))}")
    static = (static,) if isinstance(static, (int, str)) else tuple(static)
    signature = (signature,) if isinstance(signature, str) else None if signature is None else tuple(signature)
    return Settings(static, signature, sizes, Options(fastmath, parallel, cache, tuple(donate)))


def jit(function: Callable | None = None, **options) -> Any:
    """Compile a NumPy function. Results are new NumPy arrays and scalars of the dtypes that NumPy gives.

    Options: see docs/options.md. Raises errors of gradgen.errors for what can't be traced.
    """
    if function is None:
        return partial(jit, **options)
    function = by_position(function)
    return CompiledFunction(function, function, "jit", settings(**options))


def grad(function: Callable | None = None, argnums=0, has_aux: bool = False, **options) -> Any:
    """The gradient of a scalar function: arrays shaped like the arguments `argnums` (int, name, or tuple of them).

    has_aux: the function returns (value, aux), and the gradient function (gradient, aux).
    Raises DifferentiationError for outputs that are no scalar and arguments that are no floats.
    """
    return _reverse("grad", transforms.grad, function, argnums, has_aux, options)


def value_and_grad(function: Callable | None = None, argnums=0, has_aux: bool = False, **options) -> Any:
    """Value and gradient in one kernel: (value, gradient), or ((value, aux), gradient)."""
    return _reverse("value_and_grad", transforms.value_and_grad, function, argnums, has_aux, options)


def _reverse(name: str, transform: Callable, function, argnums, has_aux: bool, options: dict) -> Any:
    if function is None:
        return partial(_reverse, name, transform, argnums=argnums, has_aux=has_aux, options=options)
    function = by_position(function)
    positions, single = resolve_argnums(function, argnums)
    names = parameter_names(function)
    transformed = transform(function, positions, single, has_aux, names)
    both = transforms.halves(function, positions, single, has_aux, names)
    halves = Halves(lambda gs, *args: both(gs[0], *args), _value_type)
    return CompiledFunction(function, transformed, name, settings(**options), halves)


def _value_type(graph: Graph) -> list[Type]:
    """The cotangent of a scalar value: a float, in the precision of the gradients."""
    return [Type(next((n.dtype for n in graph.outputs if n.type.is_float), np.dtype(np.float64)))]


def jvp(function: Callable, args: tuple, tangents: tuple, **options) -> tuple:
    """(out, tangent): value and directional derivative of f at `args` along `tangents`, trees like `args`."""
    if not isinstance(args, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise ArgumentError("jvp: args and tangents are tuples", hint="jvp(f, (x,), (v,))")
    return _pushforward(function, settings(**options))(tuple(args), tuple(tangents))


def _pushforward(function: Callable, chosen: Settings) -> CompiledFunction:
    def transformed(args, tangents):
        return transforms.jvp(function, args, tangents)

    return kept(
        function,
        ("jvp", chosen),
        lambda: CompiledFunction(function, transformed, "jvp", chosen, None, ("args", "tangents")),
    )


def vjp(function: Callable, *args, **options) -> tuple:
    """(out, pullback): pullback(cotangent) is the tuple of cotangents of `args`, for a tree like `out`."""
    return pull(function, args, settings(**options))


def hvp(function: Callable, **options) -> CompiledFunction:
    """h(x, *others, v): the Hessian for argument 0 times v, by forward over reverse mode (Pearlmutter 1994)."""
    return CompiledFunction(
        function, transforms.hvp(function), "hvp", settings(**options), None, (*parameter_names(function), "v")
    )


def jacobian(function: Callable | None = None, argnums=0, mode: str = "auto", **options) -> Any:
    """The derivative of an array for an array: shape out.shape + in.shape, a tuple for a tuple of argnums.

    mode: "reverse" (a row at a time), "forward" (a column), "auto" (whichever is fewer).
    """
    if function is None:
        return partial(jacobian, argnums=argnums, mode=mode, **options)
    function = by_position(function)
    positions, single = resolve_argnums(function, argnums)
    transformed = jacobian_of(function, positions, single, mode, parameter_names(function))
    return CompiledFunction(function, transformed, "jacobian", settings(**options))


def hessian(function: Callable | None = None, argnums=0, **options) -> Any:
    """The second derivative of a scalar function: shape in.shape + in.shape, by forward over reverse mode."""
    if function is None:
        return partial(hessian, argnums=argnums, **options)
    function = by_position(function)
    positions, single = resolve_argnums(function, argnums)
    names = parameter_names(function)
    gradient = transforms.grad(function, positions, single, False, names)
    transformed = jacobian_of(gradient, positions, single, "forward", names)
    return CompiledFunction(function, transformed, "hessian", settings(**options))


def vmap(function: Callable | None = None, in_axes=0, out_axes: int = 0, **options) -> Any:
    """A function of one example, for a batch: in_axes is an axis, None, or a tuple of these per argument."""
    if function is None:
        return partial(vmap, in_axes=in_axes, out_axes=out_axes, **options)
    axes = in_axes if isinstance(in_axes, (tuple, list)) else (in_axes,)
    if not all(axis is None or type(axis) is int for axis in axes) or type(out_axes) is not int:
        raise ArgumentError(f"vmap: in_axes={in_axes!r}, out_axes={out_axes!r}",
                            hint="in_axes: an int, None, or one of these per argument; out_axes: an int")  # fmt: skip
    return CompiledFunction(function, mapping.vmap(function, in_axes, out_axes), "vmap", settings(**options))
