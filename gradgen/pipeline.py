"""The whole compiler, as a list a reader can recite.

    trace -> check -> differentiate -> simplify -> (store, cut, fuse, lower, tidy, lay out) -> print -> load

Differentiation happens while tracing: a transformation is a function over traced values (differentiate/transforms.py).
What stands in brackets is schedule/plan.py. Printing and loading wait until a kernel is asked for its source or its
code (runtime/kernel.py). Every step leaves its result in `stages`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradgen.errors import UnsupportedError
from gradgen.ir import sizes
from gradgen.ir.check import check
from gradgen.ir.graph import Graph
from gradgen.ir.types import Type
from gradgen.ops.control import run_symbols
from gradgen.passes.accumulate import accumulate
from gradgen.passes.control import trim
from gradgen.passes.hoist import hoist
from gradgen.passes.nested import join_nested
from gradgen.passes.products import add_products
from gradgen.passes.remember import remember
from gradgen.passes.shifted import join_shifted
from gradgen.passes.simplify import simplify
from gradgen.passes.split import Split, split
from gradgen.passes.unrolled import warn_if_unrolled
from gradgen.runtime.kernel import Kernel, Options
from gradgen.trace.pytree import flatten, unflatten
from gradgen.trace.tracer import trace


@dataclass(frozen=True)
class Slot:
    """A leaf of the arguments: dtype, sizes (a number, or the name of a symbol), whether it is a Python scalar."""

    dtype: np.dtype
    shape: tuple[int | str, ...]
    weak: bool = False


@dataclass(frozen=True)
class Request:
    """What to compile: a function over traced pytrees at given leaves.

    `args_spec`: structure of the tuple of arguments. `hints`: sizes of symbols in the call at hand.
    For functions that have a backward pass, `halves`: (cotangents, *args) -> (outputs, gradients), and `cotangents`:
    the graph -> the types of these cotangents.
    """

    function: Callable
    name: str
    origin: str
    slots: tuple[Slot, ...]
    args_spec: Any
    leaf_names: tuple[str, ...]
    options: Options = field(default_factory=Options)
    hints: dict = field(default_factory=dict, hash=False)
    halves: Callable | None = None
    cotangents: Callable[[Graph], list[Type]] | None = None


@dataclass
class Built:
    """A kernel, the structure of its results, and the leaves it serves (narrower than asked, where tracing had to)."""

    kernel: Kernel
    out_spec: Any
    slots: tuple[Slot, ...]
    guards: tuple


def simplified(graph: Graph) -> Graph:
    """All passes that keep what a graph means."""
    return add_products(accumulate(join_shifted(join_nested(remember(trim(hoist(trim(simplify(trim(graph))))))))))


def build(request: Request, stages: dict | None = None) -> Built:
    """The kernel of a request. `stages` receives each step's result as it is made, also where a later one fails."""
    stages = {} if stages is None else stages
    while True:
        guards: list = []
        try:
            graph, out_spec = _trace(request, request.function, guards)
            break
        except sizes.Narrow as narrow:
            request = _narrowed(request, narrow.replacements)
    stages["trace"] = check(graph)
    _refuse_open(graph)
    warn_if_unrolled(graph)
    graph = stages["simplify"] = check(simplified(graph))

    def make_split() -> Split:
        halves, count = _halves(request, graph)
        halves = stages["halves"] = simplified(halves)
        found = split(halves, len(request.slots), count)
        stages["forward"], stages["backward"] = found.forward, found.backward
        return found

    kernel = Kernel(
        graph, request.options, request.origin, make_split if request.halves else None, tuple(guards), stages,
    )  # fmt: skip
    return Built(kernel, out_spec, request.slots, tuple(guards))


def _refuse_open(graph: Graph) -> None:
    """UnsupportedError for results whose size only the run tells."""
    for node in graph.outputs:
        if any(run_symbols(n) for n in node.shape):
            raise UnsupportedError(f"a result of type {node.type}, whose size only the run tells", where=node.source,
                                   hint="give the loop a length that is a number, or return a sum of it")  # fmt: skip


def _types(request: Request, guards: list) -> list[Type]:
    symbols: dict[str, sizes.Size] = {}

    def size(n):
        if isinstance(n, str):
            return symbols.setdefault(n, sizes.symbol(n, request.hints.get(n), guards))
        return n

    return [Type(s.dtype, tuple(size(n) for n in s.shape)) for s in request.slots]


def _trace(request: Request, function: Callable, guards: list) -> tuple[Graph, Any]:
    specs = []

    def flat(inputs):
        outputs, spec = flatten(function(*unflatten(request.args_spec, inputs)))
        specs.append(spec)
        return outputs

    weak = [s.weak for s in request.slots]
    graph = trace(flat, _types(request, guards), weak, request.name, request.leaf_names)
    return graph, specs[0]


def _narrowed(request: Request, replacements: dict[str, int | str]) -> Request:
    def size(n):
        return replacements.get(n, n) if isinstance(n, str) else n

    slots = tuple(replace(s, shape=tuple(size(n) for n in s.shape)) for s in request.slots)
    return replace(request, slots=slots)


def _halves(request: Request, graph: Graph) -> tuple[Graph, int]:
    """The graph over inputs and cotangents: outputs, then gradients. And how many outputs."""
    counts = []
    count = len(request.slots)

    def function(inputs):
        outputs, gradients = request.halves(inputs[count:], *unflatten(request.args_spec, inputs[:count]))  # type: ignore[misc]
        outputs = flatten(outputs)[0]
        counts.append(len(outputs))
        return [*outputs, *flatten(gradients)[0]]

    cotangents = request.cotangents(graph)  # type: ignore[misc]
    names = ("g",) if len(cotangents) == 1 else tuple(f"g{k}" for k in range(len(cotangents)))
    types = [*(n.type for n in graph.inputs), *cotangents]
    weak = [*(s.weak for s in request.slots), *(False for _ in cotangents)]
    return trace(function, types, weak, request.name, (*request.leaf_names, *names)), counts[0]
