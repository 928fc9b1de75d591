"""For tests: derivatives held against central differences, and graphs evaluated without a compiler.

check_grads(lambda x: np.sum(np.tanh(x) ** 2), np.ones(3))      # says nothing, or what differs
interpret(gg.grad(f))(x)                                        # op by op in NumPy, from the graph of gg.grad(f)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradgen import api
from gradgen.compiled import CompiledFunction
from gradgen.errors import ArgumentError
from gradgen.ops.evaluation import evaluate
from gradgen.trace.pytree import flatten, unflatten

__all__ = ["check_grads", "evaluate", "interpret"]
MODES = ("forward", "reverse")


def interpret(f: Callable) -> Callable:
    """f, or a compiled function such as gg.grad(f), run op by op from its graph: the same results, no compiler."""
    compiled = f if isinstance(f, CompiledFunction) else api.jit(f)

    def run(*args, **kwargs):
        call = compiled._call(args, kwargs)
        built = compiled._built(call)
        return unflatten(built.out_spec, evaluate(built.kernel.graph, call.values))

    return run


def check_grads(
    f: Callable, *args, order: int = 2, modes: Sequence[str] = MODES, rtol: float | None = None,
    atol: float | None = None, compiled: bool = True,
) -> None:  # fmt: skip
    """Hold the derivatives of f at `args` against central differences in random directions, up to `order`.

    f: what gradgen traces, of any pytrees; leaves of floats are differentiated, others stay as they are. Each
    derivative of order 2 is taken of each of order 1, in all `modes`. rtol, atol: 1e-5 for float64, 5e-3 for float32.
    compiled=False evaluates the graphs instead, which tests the derivatives and needs no compiler.

    Raises AssertionError saying which derivative differs and by how much, ArgumentError for unknown modes.
    Steps are eps**(1/3), where errors of rounding and of the formula meet (Numerical Recipes, 5.7). At a kink, such as
    maximum(x, 0) at 0, both sides may be right and differ.
    """
    if not set(modes) <= set(MODES):
        raise ArgumentError(f"check_grads: modes={tuple(modes)!r}", hint=f"modes are {', '.join(map(repr, MODES))}")
    leaves, spec = flatten(args)
    places = [k for k, leaf in enumerate(leaves) if np.asarray(leaf).dtype.kind == "f"]
    xs = [np.asarray(leaves[k]) for k in places]
    double = all(x.dtype == np.float64 for x in xs)

    def over_floats(*xs):
        full = list(leaves)
        for k, x in zip(places, xs, strict=True):
            full[k] = x
        return _float_leaves(f(*unflatten(spec, full)))

    tolerance = {"rtol": rtol or (1e-5 if double else 5e-3), "atol": atol or (1e-5 if double else 5e-3)}
    prepared = api.jit if compiled else interpret
    rng = np.random.default_rng(0)
    _Check(prepared, tuple(modes), tolerance, rng).derivatives(over_floats, over_floats, xs, order, "")


def _float_leaves(tree) -> tuple:
    return tuple(x for x in flatten(tree)[0] if (x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype).kind == "f")


@dataclass(frozen=True)
class _Check:
    """`prepare`: a traceable function -> one that runs on arrays."""

    prepare: Callable
    modes: tuple[str, ...]
    tolerance: dict[str, Any]
    rng: np.random.Generator

    def derivatives(self, f: Callable, run: Callable, xs: list, order: int, path: str) -> None:
        """All derivatives of f, which `run` computes on arrays, at xs; `path` says what f is a derivative of."""
        vs = [self.direction(x) for x in xs]
        numeric = _central_difference(run, xs, vs)
        gs = [self.direction(np.asarray(y)) for y in run(*xs)]
        for mode in self.modes:
            derivative = _forward(f, vs) if mode == "forward" else _reverse(f, gs)
            ready = self.prepare(derivative)
            found = ready(*xs)
            what = f"{mode} mode{path}"
            if mode == "forward":
                self.compare(what, found, numeric)
            else:
                self.compare(what, [_inner(found, vs)], [_inner(gs, numeric)])
            if order > 1:
                self.derivatives(derivative, ready, xs, order - 1, f" over {what}")

    def direction(self, like: np.ndarray) -> np.ndarray:
        return np.asarray(self.rng.uniform(-1, 1, like.shape), like.dtype)[()]

    def compare(self, what: str, found: Sequence, numeric: Sequence) -> None:
        for k, (x, y) in enumerate(zip(found, numeric, strict=True)):
            where = f", result {k}" if len(numeric) > 1 else ""
            np.testing.assert_allclose(x, y, **self.tolerance, err_msg=f"{what}{where}: left, by differences: right")


def _forward(f: Callable, vs: list) -> Callable:
    return lambda *xs: api.jvp(f, xs, tuple(vs))[1]


def _reverse(f: Callable, gs: list) -> Callable:
    return lambda *xs: api.vjp(f, *xs)[1](tuple(gs))


def _central_difference(run: Callable, xs: list, vs: list) -> list[np.ndarray]:
    """The derivative along vs, in float64 whatever the dtypes."""
    wide = [np.asarray(x, np.float64) for x in xs]
    step = np.finfo(np.float64).eps ** (1 / 3)
    up, down = (run(*((x + s * v)[()] for x, v in zip(wide, vs, strict=True))) for s in (step, -step))
    return [(np.asarray(p) - q) / (2 * step) for p, q in zip(up, down, strict=True)]


def _inner(xs: Sequence, ys: Sequence) -> float:
    return float(sum(np.sum(np.asarray(x, np.float64) * y) for x, y in zip(xs, ys, strict=True)))
