"""Transformations of Python functions over traced pytrees: what `grad(f)` means where a trace is under way.

Each takes a function and returns one that builds nodes. A differentiated function runs on fresh inputs, its result is
differentiated with respect to them, and only then are they replaced by the actual arguments: so that in
grad(lambda x: x * grad(lambda y: x + y)(x)) the inner derivative does not see the outer x.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradgen.differentiate.forward import pushforward
from gradgen.differentiate.reverse import pullback
from gradgen.differentiate.rules import wrap
from gradgen.differentiate.substitute import substitute
from gradgen.errors import ArgumentError, DifferentiationError, ShapeError
from gradgen.ir.graph import Builder, Node
from gradgen.ir.sizes import same
from gradgen.ir.source import users_line
from gradgen.trace.active import active_builder
from gradgen.trace.arguments import place
from gradgen.trace.labels import label
from gradgen.trace.pytree import flatten, unflatten
from gradgen.trace.tracer import Tracer, constant, fresh_input, lift_output, lifted


class Fresh:
    """A call of a function on fresh inputs in place of the leaves of some arguments."""

    def __init__(self, function: Callable, args: Sequence, positions: Sequence[int], names: Sequence[str] = ()):
        self.builder: Builder = active_builder()  # type: ignore[assignment]
        self.actual, self.inputs, self.specs = [], [], []
        call = list(place(function, tuple(positions), tuple(args), {})[0]) if positions else []
        for position in positions:
            found, spec = flatten(call[position])
            actual = [lifted(self.builder, leaf) for leaf in found]
            inputs = [fresh_input(self.builder, x.type, x.weak) for x in actual]
            self._labels(inputs, names[position] if position < len(names) else f"x{position}")
            self.actual += actual
            self.inputs += inputs
            self.specs.append((spec, len(actual)))
            call[position] = unflatten(spec, inputs)
        self.result = function(*call)

    def _labels(self, inputs: list[Tracer], name: str) -> None:
        for k, x in enumerate(inputs):
            x.node.label = name if len(inputs) == 1 else f"{name}{k}"

    def label(self, outputs: Sequence[Tracer]) -> None:
        label({}, [x.node for x in outputs])

    def back(self, outputs: Sequence[Node]) -> list[Tracer]:
        """The outputs with the actual arguments in place of the fresh inputs."""
        mapping = {x.node: a.node for x, a in zip(self.inputs, self.actual, strict=True)}
        return [Tracer(self.builder, n) for n in substitute(self.builder, outputs, mapping)]

    def trees(self, flat: list) -> list:
        """Flat values, one per fresh input, in the structure of each argument."""
        trees, start = [], 0
        for spec, count in self.specs:
            trees.append(unflatten(spec, flat[start : start + count]))
            start += count
        return trees

    def require_floats(self, what: str) -> None:
        for x in self.inputs:
            if x.dtype.kind != "f":
                raise DifferentiationError(f"{what} with respect to {x.node.label}: {x.type} is not a float",
                                           where=users_line(), hint="pass 1.0 for 1, or choose argnums")  # fmt: skip


def value_and_grad(function, positions: tuple[int, ...], single: bool, has_aux: bool, names=()) -> Callable:
    """args -> ((value, aux) or value, gradients)."""
    both = halves(function, positions, single, has_aux, names)
    return lambda *args: both(None, *args)


def halves(function, positions: tuple[int, ...], single: bool, has_aux: bool, names=()) -> Callable:
    """(cotangent of the value, *args) -> ((value, aux) or value, gradients); None stands for 1."""

    def transformed(g, *args):
        call = Fresh(function, args, positions, names)
        call.require_floats("gradient")
        value, aux = _value_and_aux(call.result) if has_aux else (call.result, None)
        value = scalar_output(call.builder, value)
        aux_leaves, aux_spec = flatten(aux)
        aux_leaves = [lift_output(call.builder, x) for x in aux_leaves]
        call.label([value, *aux_leaves])
        g = constant(call.builder, np.asarray(1, value.dtype)) if g is None else g.astype(value.dtype).node
        wrt = [x.node for x in call.inputs]
        grads = pullback(call.builder, [value.node], [g], wrt)
        found = [g if g is not None else zeros(call.builder, n) for g, n in zip(grads, wrt, strict=True)]
        out, *rest = call.back([value.node, *(x.node for x in aux_leaves), *found])
        trees = call.trees(rest[len(aux_leaves) :])
        gradient = trees[0] if single else tuple(trees)
        return ((out, unflatten(aux_spec, rest[: len(aux_leaves)])) if has_aux else out), gradient

    return transformed


def _value_and_aux(result) -> tuple:
    if not isinstance(result, tuple) or len(result) != 2:
        raise ArgumentError("has_aux=True: the function did not return two values", where=users_line(),
                            hint="return two values: the one to differentiate, and the rest")  # fmt: skip
    return result


def grad(function, positions: tuple[int, ...], single: bool, has_aux: bool, names=()) -> Callable:
    both = value_and_grad(function, positions, single, has_aux, names)

    def transformed(*args):
        value, gradient = both(*args)
        return (gradient, value[1]) if has_aux else gradient

    return transformed


def scalar_output(builder: Builder, value) -> Tracer:
    found, _ = flatten(value)
    if len(found) != 1 or np.ndim(found[0]) != 0:
        shown = ", ".join(str(getattr(x, "type", np.shape(x))) for x in found)
        raise DifferentiationError(f"gradient of an output that is not a scalar: {shown or 'None'}", where=users_line(),
                                   hint="reduce it with np.sum, use jacobian, or has_aux=True")  # fmt: skip
    out = lift_output(builder, found[0])
    if out.dtype.kind != "f":
        raise DifferentiationError(f"gradient of an output of type {out.type}: it is not a float", where=users_line(),
                                   hint="comparisons, argmax and integers have no derivative")  # fmt: skip
    return out


def zeros(builder: Builder, like: Node) -> Node:
    return np.zeros_like(wrap(builder, like)).node


def jvp(function, args: Sequence, tangents: Sequence) -> tuple:
    """(out, tangent of out). `tangents`: trees like `args`."""
    call = Fresh(function, args, range(len(args)))
    call.require_floats("tangent")
    given: list[Any] = [lifted(call.builder, t) for t in flatten(tuple(tangents))[0]]
    _match_tangents(call, given)
    outs, spec = flatten(call.result)
    outs = [lift_output(call.builder, x) for x in outs]
    call.label(outs)
    pushed = pushforward(call.builder, [x.node for x in outs], [x.node for x in call.inputs], [t.node for t in given])
    moved = [t if t is not None else zeros(call.builder, x.node) for t, x in zip(pushed, outs, strict=True)]
    flat = call.back([*(x.node for x in outs), *moved])
    return unflatten(spec, flat[: len(outs)]), unflatten(spec, flat[len(outs) :])


def _match_tangents(call: Fresh, given: list[Any]) -> None:
    if len(given) != len(call.inputs):
        raise ArgumentError(
            f"jvp: {len(call.inputs)} arguments, {len(given)} tangents", hint="jvp(f, (x, y), (tx, ty))"
        )
    for k, (t, x) in enumerate(zip(given, call.inputs, strict=True)):
        fits = t.ndim == x.ndim and all(same(n, m) for n, m in zip(t.type.shape, x.type.shape, strict=True))
        if not fits:
            raise ShapeError(f"jvp: tangent {t.type} of an argument {x.type}", where=users_line())
        if t.dtype != x.dtype:
            given[k] = t.astype(x.dtype)


def vjp(function, args: Sequence) -> tuple:
    """(out, pullback), where pullback maps a tree of cotangents like `out` to the tuple of cotangents of `args`."""
    call = Fresh(function, args, range(len(args)))
    call.require_floats("cotangent")
    outs, spec = flatten(call.result)
    outs = [lift_output(call.builder, x) for x in outs]
    call.label(outs)

    def pullback_of(cotangent) -> tuple:
        gs = matched_cotangents([x.type for x in outs], [lifted(call.builder, g) for g in flatten(cotangent)[0]])
        wrt = [x.node for x in call.inputs]
        found = pullback(call.builder, [x.node for x in outs], [g.node for g in gs], wrt)
        flat = call.back([g if g is not None else zeros(call.builder, n) for g, n in zip(found, wrt, strict=True)])
        return tuple(call.trees(flat))

    return unflatten(spec, call.back([x.node for x in outs])), pullback_of


def matched_cotangents(types: Sequence, gs: list) -> list:
    """Cotangents in the dtypes of the results; ShapeError where they have other shapes."""
    fits = len(gs) == len(types) and all(
        g.ndim == t.ndim and all(same(n, m) for n, m in zip(np.shape(g), t.shape, strict=True))
        for g, t in zip(gs, types, strict=True)
    )  # fmt: skip
    if not fits:
        shown = ", ".join(str(getattr(g, "type", np.shape(g))) for g in gs)
        raise ShapeError(f"pullback: cotangents {shown} of results {', '.join(map(str, types))}", where=users_line(),
                         hint="a cotangent has the structure and shapes of the result")  # fmt: skip
    return [g if g.dtype == t.dtype else g.astype(t.dtype) for g, t in zip(gs, types, strict=True)]


def hvp(function) -> Callable:
    """(x, *others, v) -> the Hessian for x times v: forward mode over reverse mode."""

    def transformed(x, *rest):
        *others, v = rest
        gradient = grad(lambda x: function(x, *others), (0,), True, False)
        return jvp(gradient, (x,), (v,))[1]

    return transformed
