"""A kernel: one graph for one set of types, its source, and its compiled functions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

import gradgen
from gradgen.codegen.function import Function, Printer
from gradgen.codegen.module import Header, hoisted, module_text, options_text, runtime_imports
from gradgen.errors import UnsupportedError
from gradgen.ir.graph import Graph
from gradgen.ir.sizes import Dim, Size, evaluate
from gradgen.ir.text import to_text
from gradgen.passes.cost import Cost, flops, nbytes
from gradgen.passes.split import Split
from gradgen.schedule.plan import plan
from gradgen.schedule.separate import separate
from gradgen.schedule.text import to_text as program_text

LOAD_CONSTANTS = 'np.load(__file__.removesuffix(".py") + ".npz")'


@dataclass(frozen=True)
class Options:
    """How a kernel is compiled. `fastmath`: None or True for the safe flags, False for strict IEEE order."""

    fastmath: Any = None
    parallel: bool = False
    cache: bool = True
    donate: tuple[tuple[int, int], ...] = ()


@dataclass(eq=False)
class Kernel:
    """The generated code of a function for given types; every part is made when it is first asked for.

    `graph`: all of it, over flat leaves. `make_split`: the forward and backward halves, for functions that have them.
    `guards`: facts about symbolic sizes that the trace assumed.
    """

    graph: Graph
    options: Options = field(default_factory=Options)
    origin: str = "?"
    make_split: Callable[[], Split] | None = None
    guards: tuple = ()
    stages: dict[str, Any] = field(default_factory=dict)
    no_halves: UnsupportedError | None = None

    # -- names and text

    @cached_property
    def name(self) -> str:
        """The function's name: the user's, and a hash of everything that the code depends on."""
        from gradgen.runtime.module import environment_digest

        what = "\n".join([to_text(self.graph), repr(self.options), repr(self.guards), environment_digest()])
        return f"{self.graph.name}_{hashlib.sha256(what.encode()).hexdigest()[:10]}"

    @cached_property
    def split(self) -> Split | None:
        return self.make_split() if self.make_split is not None else None

    @cached_property
    def _functions(self) -> list[Function]:
        split = self.split
        joint = self._function(self.graph, self.name, dict(self.options.donate))
        if split is None:
            return [joint]
        digest = self.name.rsplit("_", 1)[1]
        try:
            halves = [self._function(g, f"{g.name}_{digest}", {}) for g in (split.forward, split.backward)]
        except UnsupportedError as error:  # what one would hand the other has no size that a caller can know
            self.no_halves = error
            return [joint]
        return [joint, *halves]

    def _half(self, place: int):
        functions = self._functions
        if self.no_halves is not None:
            raise self.no_halves
        return getattr(self.module, functions[place].name)

    def _function(self, graph: Graph, name: str, donate: dict[int, int]) -> Function:
        program = plan(separate(Graph(graph.inputs, graph.outputs, name, graph.input_names)), donate)
        self.stages.setdefault("loops" if graph is self.graph else f"loops of {graph.name}", program_text(program))
        return Printer(program, self.guards, self.options.parallel).function()

    @cached_property
    def source(self) -> str:
        """The module's text, as it is cached and compiled."""
        return self._text(runtime_imports(self._needs), "", self.options.cache)

    @property
    def _needs(self) -> list[str]:
        return sorted(set().union(*(f.needs for f in self._functions)))

    def _text(self, imports: list[str], definitions: str, cache: bool) -> str:
        header = Header(self.graph.name, self.origin, gradgen.__version__)
        options = options_text(self.options.fastmath, cache, not all(f.is_brief for f in self._functions))
        return module_text(header, self._functions, options, imports, definitions, LOAD_CONSTANTS)

    # -- compiled

    @cached_property
    def module(self):
        from gradgen.runtime import module

        constants = {k: a for f in self._functions for k, a in f.constants.items() if f"[{k!r}]" in self.source}
        return module.load(self.name, self.source, constants or None)

    @property
    def path(self) -> Path:
        """The module's file."""
        return Path(self.module.__file__)

    @cached_property
    def njit(self):
        """The Numba function over flat leaves: checks shapes, allocates its results."""
        return getattr(self.module, self.name)

    @cached_property
    def into(self):
        """The same with arrays for array results and workspace passed in: allocates nothing, checks nothing."""
        return getattr(self.module, f"{self.name}_into", self.njit)

    @cached_property
    def forward(self):
        """inputs -> outputs, residuals. For functions without a backward pass, the function itself."""
        return self.njit if self.split is None else self._half(1)

    @cached_property
    def backward(self):
        """inputs, residuals, cotangents of the outputs -> gradients."""
        if self.split is None:
            raise AttributeError(f"{self.graph.name} has no backward pass: it is not a reverse-mode derivative")
        return self._half(2)

    def workspace(self, *leaves) -> tuple[np.ndarray, ...]:
        """The buffers that `into` takes last, one per dtype. `leaves`: the inputs, needed where sizes are symbolic."""
        env = sizes_of(self.graph, leaves)
        return tuple(np.empty(_evaluated(count, env), dtype) for dtype, count in self._functions[0].workspace)

    # -- facts

    @cached_property
    def cost(self) -> Cost:
        graph, split = self.graph, self.split
        work = sum(_hinted(count) * dtype.itemsize for dtype, count in self._functions[0].workspace)
        both = (flops(split.forward), flops(split.backward)) if split else (flops(graph), 0)
        kept = split.forward.outputs[len(split.forward.outputs) - split.residuals :] if split else ()
        return Cost(flops(graph), *both, nbytes((*graph.inputs, *graph.outputs)), nbytes(kept), work)

    def save(self, path) -> Path:
        """Write a stand-alone module: it imports only numpy, numba (with its llvmlite) and math. Its main function is
        called like the user's function; so is the module if it has no other name."""
        from gradgen.runtime.embed import runtime_source

        path = Path(path)
        text = self._text(*hoisted(runtime_source(self._needs)), cache=False)
        text = text.replace(f"_{self.name.rsplit('_', 1)[1]}", "")
        large = {k: a for f in self._functions for k, a in f.constants.items() if f"[{k!r}]" in text}
        if large:
            np.savez(path.with_suffix(".npz"), **large)  # type: ignore[arg-type]
        path.write_text(text)
        return path


def sizes_of(graph: Graph, leaves) -> dict[str, int]:
    """The symbols' values for these inputs."""
    env: dict[str, int] = {}
    for node, leaf in zip(graph.inputs, leaves, strict=False):
        for n, m in zip(node.shape, np.shape(leaf), strict=True):
            if isinstance(n, Dim) and str(n).isidentifier():
                env[str(n)] = m
    return env


def _evaluated(size: Size, env: dict[str, int]) -> int:
    try:
        return evaluate(size, env)
    except KeyError as missing:
        raise TypeError(f"workspace(*leaves): size {missing} is symbolic, pass the inputs") from None


def _hinted(size: Size) -> int:
    from gradgen.ir.sizes import hint

    return int(hint(size) or 0)
