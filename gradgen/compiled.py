"""The compiled function: what every transformation returns.

A call flattens its arguments, finds the kernel for their types (or builds it) and runs it. Inside a trace it builds
nodes instead, so transformations compose; inside @njit code Numba asks it for a kernel (runtime/nopython.py).
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import optree

from gradgen import binding, dispatch, pipeline
from gradgen.dispatch import Family, as_value, slot_of
from gradgen.errors import ArgumentError, ShapeError
from gradgen.ir.graph import Graph
from gradgen.passes.cost import Cost
from gradgen.pipeline import Built, Request, Slot
from gradgen.running import SCALARS, number_runner, recognised, runner
from gradgen.runtime.kernel import Kernel, Options
from gradgen.trace import tracer
from gradgen.trace.active import active_builder
from gradgen.trace.arguments import parameter_names
from gradgen.trace.protocol import apart
from gradgen.trace.pytree import NAMESPACE, flatten, unflatten

NOTHING: Any = object()  # no argument


@dataclass(frozen=True)
class Settings:
    """Options common to all transformations (docs/options.md)."""

    static: tuple[int | str, ...] = ()
    signature: tuple[str, ...] | None = None
    sizes: str = "auto"
    options: Options = field(default_factory=Options)


@dataclass(frozen=True)
class Halves:
    """A backward pass: (cotangents, *args) -> (outputs, gradients), and the types of the cotangents. See pipeline."""

    function: Callable
    cotangents: Callable[[Graph], list]


@dataclass
class Call:
    """The arguments of one call, flattened."""

    family: tuple
    shapes: tuple
    slots: tuple[Slot, ...]
    values: list
    spec: Any
    static: dict[int, Any]
    args: Sequence


class CompiledFunction:
    """A function, compiled for each set of argument types when it is first called with them."""

    def __init__(
        self, function: Callable, transformed: Callable, kind: str, settings: Settings, halves: Halves | None = None,
        parameters: tuple[str, ...] | None = None,
    ):  # fmt: skip
        """`transformed`: the function over traced values; `parameters`: their names where they are not `function`'s."""
        if not callable(function):
            raise ArgumentError(f"{kind}: {function!r} is no function", hint=f"gg.{kind}(f)")
        functools.update_wrapper(self, function, updated=())
        self._function, self._transformed, self._halves = function, transformed, halves
        self._kind, self._settings = kind, settings
        self.parameter_names = tuple(parameter_names(function)) if parameters is None else parameters
        self.static_positions = binding.static_positions(settings.static, self.parameter_names, self._name())
        self._keyword_only = getattr(function, "keyword_only", 0)
        self._families: dict[tuple, Family] = {}
        self._runners: dict[tuple, Callable] = {}
        self._of_numbers: dict[tuple, tuple] = {}  # types of numbers -> entry point, what makes results of its numbers
        self._number: tuple = (None, None, None)  # the type of a sole argument met last, and the same: the shortest way
        self._lock = threading.RLock()
        self.last_stages: dict[str, Any] = {}  # of the last kernel that was built or failed to be

    def _name(self) -> str:
        name = getattr(self._function, "__name__", type(self._function).__name__)
        name = name if name.isidentifier() else "f"
        return name if self._kind == "jit" else f"{name}_{self._kind}"

    def __repr__(self) -> str:
        return f"<gradgen {self._name()}>"

    def __reduce__(self):
        module = sys.modules.get(getattr(self, "__module__", ""), None)
        name = getattr(self, "__qualname__", "")
        if functools.reduce(lambda o, n: getattr(o, n, None), name.split("."), module) is not self:
            raise TypeError(f"{self!r} can't be pickled: no module holds it by the name {name}")
        return name

    def __get__(self, instance, owner=None):
        return self if instance is None else functools.partial(self, instance)

    # -- calling

    def __call__(self, first=NOTHING, /, *others, **kwargs):
        if not (others or kwargs or tracer.traces_under_way):
            kind, entry, make = self._number
            if type(first) is kind:
                return make(entry(first))
        args = () if first is NOTHING else (first, *others)
        if tracer.traces_under_way and active_builder() is not None:
            given = self._positional(args, kwargs)
            return apart(self._transformed(*given), given)
        if not kwargs and not self.static_positions:
            # The hot path: numbers, plain arrays, and trees of them, that were met before.
            if type(first) in SCALARS:
                met = self._of_numbers.get(tuple(map(type, args)))
                if met is not None:
                    entry, make = met
                    if not others:
                        self._number = type(first), entry, make
                    return make(entry(*args))
            known = recognised(args)
            if known is not None:
                leaves, key = known
                run = self._runners.get(key) or self._runner(args, leaves, key)
                if run is not None:
                    return run(leaves)
        call = self._call(args, kwargs)
        return self._prepared(self._built(call), call)(call.values)

    def _prepared(self, built: Built, call: Call) -> Callable:
        """The runner for these sizes: kept, since arguments that need conversion come this way every time."""
        key = (id(built), call.shapes)
        if key not in self._runners:
            self._runners[key] = runner(built, call.values)
        return self._runners[key]

    def _runner(self, args: tuple, leaves: list, key: tuple) -> Callable | None:
        """From leaves of these very types to results, without further look-ups; kept for the next call."""
        if any(x is not y for x, y in zip(leaves, flatten(args)[0], strict=True)):
            return None  # inside optree.dict_insertion_ordered
        built = self._built(self._call(args, {}))
        kinds = tuple(map(type, args))
        of_numbers = number_runner(built) if SCALARS.issuperset(kinds) else None
        if of_numbers is not None:
            self._of_numbers[kinds] = of_numbers
        run = self._runners[key] = runner(built, leaves)
        return run

    def _positional(self, args: tuple, kwargs: dict) -> tuple:
        """Keyword arguments at their positions."""
        if self._keyword_only and len(args) > len(self.parameter_names) - self._keyword_only:
            raise ArgumentError(f"{self._name()}: {len(args)} arguments by position",
                                hint=', '.join(self.parameter_names[-self._keyword_only :]) + ' by name')  # fmt: skip
        if not kwargs:
            return args
        names, rest = self.parameter_names, dict(kwargs)
        filled = list(args)
        for name in names[len(args) :]:
            if not rest:
                break
            if name in rest:
                filled.append(rest.pop(name))
            else:
                filled.append(binding.default_of(self._function, name))
        if rest:
            problem = "given twice:" if set(rest) & set(names) else "no parameter"
            raise ArgumentError(f"{self._name()}: {problem} {', '.join(rest)}", hint=f"parameters: {', '.join(names)}")
        return tuple(filled)

    def _call(self, args: tuple, kwargs: dict) -> Call:
        args = self._positional(args, kwargs)
        static = {k: args[k] for k in self.static_positions if k < len(args)}
        leaves, spec = flatten(tuple(None if k in static else a for k, a in enumerate(args)))
        values = [as_value(leaf) for leaf in leaves]
        slots = tuple(slot_of(v) for v in values)
        family = (spec, binding.static_key(static), tuple((s.dtype, len(s.shape), s.weak) for s in slots))
        return Call(family, tuple(s.shape for s in slots), slots, values, spec, static, args)

    # -- finding and building kernels

    def _built(self, call: Call) -> Built:
        with self._lock:
            family = self._families.setdefault(call.family, Family())
            found = family.serving(call.shapes)
            if found is None:
                slots, hints = self._slots(call, family)
                found = self._build(call, slots, hints)
                family.built.append(found)
                family.seen.append(call.shapes)
            return found

    def _slots(self, call: Call, family: Family) -> tuple[tuple[Slot, ...], dict]:
        settings = self._settings
        if settings.signature is not None:
            return dispatch.declared_slots(settings.signature, call.slots)
        if settings.sizes == "static" or (settings.sizes == "auto" and not family.seen):
            return call.slots, {}
        return dispatch.symbolic_slots(call.slots, [*family.seen, call.shapes], settings.sizes == "symbolic")

    def _build(self, call: Call, slots: tuple[Slot, ...], hints: dict) -> Built:
        def filled(args):
            return (call.static.get(k, a) for k, a in enumerate(args)) if call.static else args

        halves = self._halves
        request = Request(
            lambda *args: self._transformed(*filled(args)), self._name(), binding.origin_of(self._function), slots,
            call.spec,
            binding.leaf_names(call.args, call.static, self.parameter_names), self._settings.options, hints,
            (lambda gs, *args: halves.function(gs, *filled(args))) if halves else None,
            halves.cotangents if halves else None,
        )  # fmt: skip
        self.last_stages = {}
        return pipeline.build(request, self.last_stages)

    # -- looking inside

    def kernel(self, *args, **kwargs) -> Kernel:
        """The kernel for the types of these arguments, compiled when first run."""
        return self._built(self._call(args, kwargs)).kernel

    def source(self, *args, **kwargs) -> str:
        """The generated module: forward and backward code."""
        return self.kernel(*args, **kwargs).source

    def graph(self, *args, **kwargs) -> Graph:
        """The graph that is compiled."""
        return self.kernel(*args, **kwargs).graph

    def stages(self, *args, **kwargs) -> dict[str, Any]:
        """Name -> graph, loop program or source, after each step of the pipeline."""
        kernel = self.kernel(*args, **kwargs)
        kernel.stages["source"] = kernel.source
        return dict(kernel.stages)

    def cost(self, *args, **kwargs) -> Cost:
        """flops, bytes moved, bytes stored for the backward pass, workspace: counted, nothing is run."""
        return self.kernel(*args, **kwargs).cost

    # -- inside @njit

    @property
    def _numba_type_(self):
        from gradgen.runtime.nopython import callable_type

        return callable_type(self)

    def kernel_for_types(self, arguments: Sequence):
        """(dispatcher, structure of its results) for Numba's types: arrays with symbolic sizes, or the signature's."""
        static = {k: arguments[k] for k in self.static_positions if k < len(arguments)}
        # Numba's leaves are no pytrees, whatever class they are
        kept = tuple(None if k in static else a for k, a in enumerate(arguments))
        leaves, spec = optree.tree_flatten(kept, namespace=NAMESPACE)  # type: ignore[arg-type, var-annotated]
        slots = tuple(Slot(x.dtype, (0,) * x.ndim, x.ndim == 0 and x.dtype.itemsize == 8) for x in leaves)
        family = (spec, binding.static_key(static), tuple((s.dtype, len(s.shape), s.weak) for s in slots))
        call = Call(("njit", *family), (), slots, [], spec, static, arguments)
        with self._lock:
            known = self._families.setdefault(call.family, Family())
            if not known.built:
                known.built.append(self._build(call, *self._nopython_slots(slots, family)))
            built = known.built[0]
        count = built.out_spec.num_leaves
        structure = None if built.out_spec.is_leaf() else unflatten(built.out_spec, list(range(count)))
        binding.check_nopython(self._name(), structure)
        return built.kernel.njit, structure

    def _nopython_slots(self, slots: tuple[Slot, ...], family: tuple) -> tuple[tuple[Slot, ...], dict]:
        if self._settings.signature is not None:
            declared, known = dispatch.declared_slots(self._settings.signature, None)
            weak = tuple(Slot(d.dtype, d.shape, s.weak) for d, s in zip(declared, slots, strict=True))
            if [(d.dtype, len(d.shape)) for d in declared] != [(s.dtype, len(s.shape)) for s in slots]:
                raise ShapeError(f"{self._name()}: called in @njit code with other types than its signature {declared}")
            return weak, known
        seen = self._families.get(family)
        shapes = seen.seen[-1] if seen and seen.seen else None
        hints: dict[str, int] = {}
        found: list[Slot] = []
        for place, slot in enumerate(slots):
            names = tuple(f"n{place}_{axis}" for axis in range(len(slot.shape)))
            if shapes is not None:
                hints.update(zip(names, shapes[place], strict=True))
                names = tuple(1 if n == 1 else name for name, n in zip(names, shapes[place], strict=True))  # type: ignore[misc]
            found.append(Slot(slot.dtype, names, slot.weak))
        return tuple(found), hints
