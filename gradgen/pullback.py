"""vjp of a Python function: one kernel runs forward and keeps what a second one needs to run backward."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradgen.compiled import CompiledFunction, Halves, Settings
from gradgen.differentiate import transforms
from gradgen.dispatch import as_value
from gradgen.ir.graph import Graph
from gradgen.keeping import kept
from gradgen.trace.active import active_builder
from gradgen.trace.pytree import flatten, unflatten


def pull(function: Callable, args: tuple, chosen: Settings) -> tuple:
    """(out, pullback). Inside a trace both are traced; outside, both are kernels."""
    if active_builder() is not None:
        return transforms.vjp(function, args)
    return Forward(kept(function, ("vjp", chosen), lambda: _compiled(function, chosen)), args).result()


def _compiled(function: Callable, chosen: Settings) -> CompiledFunction:
    def halves(gs, *args):
        out, pullback = transforms.vjp(function, args)
        spec = flatten(out)[1]
        return out, pullback(unflatten(spec, gs))

    return CompiledFunction(function, function, "vjp", chosen, Halves(halves, _output_types))


def _output_types(graph: Graph) -> list:
    return [n.type for n in graph.outputs]


class Forward:
    """The forward pass that was run: its results, and its residuals for the pullback."""

    def __init__(self, compiled: CompiledFunction, args: tuple):
        self.call = compiled._call(args, {})
        self.built = compiled._built(self.call)
        kernel = self.built.kernel
        found = kernel.forward(*self.call.values)
        self.found = list(found) if isinstance(found, tuple) else [found]
        self.types = [n.type for n in kernel.graph.outputs]
        # The user may write to the arguments before the pullback reads them.
        self.values = [v.copy() if isinstance(v, np.ndarray) else v for v in self.call.values]
        self.residuals = self.found[len(self.types) :]

    def result(self) -> tuple:
        outs = [t.dtype.type(x) if t.shape == () else x for x, t in zip(self.found, self.types, strict=False)]
        return unflatten(self.built.out_spec, outs), self.pullback

    def pullback(self, cotangent) -> tuple:
        """The cotangents of the arguments, for one of the result."""
        gs = [as_value(np.asarray(g)) for g in flatten(cotangent)[0]]
        shaped = [type_.with_shape(np.shape(x)) for x, type_ in zip(self.found, self.types, strict=False)]
        gs = transforms.matched_cotangents(shaped, gs)
        out = self.built.kernel.backward(*self.values, *self.residuals, *gs)
        flat = list(out) if isinstance(out, tuple) else [out]
        flat = [np.asarray(x, s.dtype)[()] if s.shape == () else x for x, s in zip(flat, self.call.slots, strict=True)]
        return tuple(unflatten(self.call.spec, flat))
