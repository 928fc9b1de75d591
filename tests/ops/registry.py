"""The tables that the tests of ops run over: every op with its operands, and what is computed of it.

A `Case` is a function of named operands. `Computed` compiles many cases as one function, values or derivatives, since
a kernel of fifty lines compiles in the time of three kernels of one; each test then looks at its own case.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

import gradgen as gg
from gradgen import tape
from gradgen.errors import DTypeError
from gradgen.ops import BY_NUMPY, REGISTRY
from gradgen.ops.record import ELEMENTWISE

DTYPES = [np.dtype(d) for d in ("float64", "float32", "int64", "bool")]
# The shapes of an op's operands, in turn; an op of one operand takes the first.
PATTERNS = {
    "scalar": ((), (), ()),
    "vector": ((5,), (5,), (5,)),
    "matrix with row": ((3, 4), (4,), (3, 4)),
    "column with row": ((3, 1), (1, 4), (4,)),
    "number with vector": ((), (5,), (5,)),
    "empty": ((0, 3), (3,), (1, 3)),
}
WITHOUT_NUMPY = {
    "sigmoid": gg.nn.sigmoid,
    "astype": lambda x: x.astype(np.float32),
    "stop_gradient": gg.stop_gradient,
}
INNER = {"copy"}  # an elementwise op that only the compiler makes
FUNCTIONS = {op.name: function for function, op in reversed(BY_NUMPY.items())} | WITHOUT_NUMPY
ELEMENTWISE_OPS = [op for op in REGISTRY.values() if op.kind == ELEMENTWISE and op.name not in INNER]


@dataclass(frozen=True)
class Case:
    """A function of the operands named, and the weights that make a scalar of its result."""

    name: str
    function: Callable
    operands: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


def operand(op, k: int, dtype: np.dtype, shape: tuple) -> np.ndarray:
    """Where the op's record says that it may be sampled: integers and bools within, else near."""
    low, high = op.sample[k]
    if op.name == "where" and k == 0:
        dtype = np.dtype(bool)
    rng = np.random.default_rng([k, len(shape), dtype.num])
    if dtype.kind == "b":
        return rng.integers(op.name == "reciprocal", 2, shape).astype(bool)
    if dtype.kind == "i":
        low, high = (int(np.ceil(low)), int(np.floor(high))) if np.floor(high) >= np.ceil(low) else (1, 3)
        return rng.integers(0 if op.name == "power" else low, high + 1, shape).astype(dtype)
    return rng.uniform(low, high, shape).astype(dtype)


def operands(op, dtype: np.dtype, pattern: str) -> list[np.ndarray]:
    return [operand(op, k, dtype, PATTERNS[pattern][k]) for k in range(len(op.sample))]


def result_dtype(op, dtype: np.dtype) -> np.dtype | None:
    """The dtype that NumPy gives; None where it has no loop that gradgen compiles."""
    if op.name == "sigmoid" and dtype.kind != "f":
        return None  # no ufunc, so nothing says which float an integer becomes
    if op.loop is None:
        return np.dtype(np.float32) if op.name == "astype" else dtype
    try:
        return op.loop(tuple(x.dtype for x in operands(op, dtype, "scalar")))[-1]
    except DTypeError:
        return None


def differentiable(op) -> bool:
    """Whether it has local gradients and a value that NumPy agrees is a float."""
    return op.partials is not None and op.name != "astype"


def elementwise_cases(dtype: np.dtype, pattern: str) -> tuple[list[Case], dict[str, np.ndarray]]:
    """A case per op, and the operands by name: ops with equal samples share them."""
    cases, named = [], {}
    for op in ELEMENTWISE_OPS:
        if result_dtype(op, dtype) is None:
            continue
        names = []
        for k, (sample, x) in enumerate(zip(op.sample, operands(op, dtype, pattern), strict=True)):
            key = f"{k} {x.dtype} {sample} {op.name == 'power' and dtype.kind == 'i'}"
            named.setdefault(key, x)
            names.append(key)
        cases.append(Case(op.name, FUNCTIONS[op.name], tuple(names)))
    return cases, named


@dataclass
class Computed:
    """Cases on operands: values and derivatives, each compiled as one function for all cases when first read.

    The scalar that is differentiated is sum(weight * result**2 / 2 + weight * result), so that linear ops too have a
    second derivative. `v`: the directions of second derivatives.
    """

    cases: list[Case]
    named: dict[str, np.ndarray]

    def __post_init__(self):
        self.by_name = {c.name: c for c in self.cases}
        rng = np.random.default_rng(7)
        self.v = {k: rng.normal(size=x.shape).astype(x.dtype) for k, x in self.named.items() if x.dtype.kind == "f"}

    def floats(self, case: Case) -> list[str]:
        return [k for k in dict.fromkeys(case.operands) if k in self.v]

    def arrays(self, case: Case) -> list[np.ndarray]:
        return [self.named[k] for k in self.floats(case)]

    def directions(self, case: Case) -> list[np.ndarray]:
        return [self.v[k] for k in self.floats(case)]

    def value(self, case: Case, named=None):
        named = self.named if named is None else named
        return case.function(*(named[k] for k in case.operands))

    def scalar(self, case: Case, named=None) -> Callable:
        """A scalar function of the float operands; the others stand as they are in `named`."""
        named = self.named if named is None else named
        wrt = self.floats(case)
        out = np.asarray(self.reference(case))
        weight = np.random.default_rng(3).uniform(0.5, 1.5, out.shape).astype(out.dtype)

        def total(*xs):
            y = self.value(case, {**named, **dict(zip(wrt, xs, strict=True))})
            return np.sum(weight * y * (0.5 * y + 1))

        return total

    def reference(self, case: Case):
        with np.errstate(all="ignore"):
            return self.value(case)

    @cached_property
    def values(self) -> dict:
        run = gg.jit(lambda named: {c.name: self.value(c, named) for c in self.cases})
        return run(self.named)

    def _derivatives(self, what: Callable) -> dict:
        """what(scalar function, operands, directions) of every case, in one kernel."""

        def everything(named, v):
            found = {}
            for c in self.cases:
                wrt = self.floats(c)
                found[c.name] = what(self.scalar(c, named), tuple(named[k] for k in wrt), tuple(v[k] for k in wrt))
            return found

        return gg.jit(everything)(self.named, self.v)

    @cached_property
    def derivatives(self) -> dict:
        """Per case (gradient, slope along v, Hessian times v): forward over reverse makes them all at once."""

        def all_of(f, xs, v):
            (_, gradient), (slope, curvature) = gg.jvp(gg.value_and_grad(f, argnums=tuple(range(len(xs)))), xs, v)
            return gradient, slope, curvature

        return self._derivatives(all_of)

    @cached_property
    def gradients(self) -> dict:
        return self._derivatives(lambda f, xs, v: gg.grad(f, argnums=tuple(range(len(xs))))(*xs))

    @cached_property
    def twice_reversed(self) -> dict:
        """The same by reverse over reverse."""
        return self._derivatives(lambda f, xs, v: gg.grad(along(gg, f, v), argnums=tuple(range(len(xs))))(*xs))

    def on_tape(self, case: Case) -> tuple:
        f, xs = self.scalar(case), self.arrays(case)
        with np.errstate(all="ignore"):
            return tape.grad(f, argnums=tuple(range(len(xs))))(*xs)

    def twice_on_tape(self, case: Case) -> tuple:
        f, xs = self.scalar(case), self.arrays(case)
        with np.errstate(all="ignore"):
            return tape.grad(along(tape, f, self.directions(case)), argnums=tuple(range(len(xs))))(*xs)

    def difference(self, case: Case, f: Callable, step=6e-6):
        """(f ahead - f behind) / (2 step) along the directions; f gives a scalar or a tuple of arrays."""
        xs, v = self.arrays(case), self.directions(case)
        with np.errstate(all="ignore"):
            ahead, behind = (f(*(x + s * t for x, t in zip(xs, v, strict=True))) for s in (step, -step))
        if isinstance(ahead, tuple):
            return tuple((a - b) / (2 * step) for a, b in zip(ahead, behind, strict=True))
        return (ahead - behind) / (2 * step)


def along(module, f: Callable, v) -> Callable:
    """The derivative of f along v, by `module`'s reverse mode."""

    def slope(*xs):
        gradient = module.grad(f, argnums=tuple(range(len(xs))))(*xs)
        return sum(np.sum(g * t) for g, t in zip(gradient, v, strict=True))

    return slope


def assert_close(found, expected, rtol, atol=0.0):
    """Trees of arrays, leaf by leaf: values, shapes and dtypes."""
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert np.shape(a) == np.shape(b)
        assert np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def assert_gradient_is_the_tapes(these: Computed, case: Case, alone=False):
    """`alone`: compiled without the second derivatives, where these would take long to compile."""
    gradient = these.gradients[case.name] if alone else these.derivatives[case.name][0]
    assert_close(gradient, these.on_tape(case), 1e-10, 1e-12)


def assert_slopes_are_differences(these: Computed, case: Case, flat=False):
    """Reverse and forward mode against central differences; `flat`: against 0."""
    gradient, slope, _ = these.derivatives[case.name]
    expected = 0.0 if flat else these.difference(case, these.scalar(case))
    reverse = sum(np.sum(g * v) for g, v in zip(gradient, these.directions(case), strict=True))
    np.testing.assert_allclose(reverse, expected, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(slope, reverse, rtol=1e-10, atol=1e-11)


def assert_second_order(these: Computed, case: Case):
    """Hessian times direction against differences of the tape's gradient, and the tape's own second derivative."""
    found, f = these.derivatives[case.name][2], these.scalar(case)
    expected = these.difference(case, lambda *xs: tape.grad(f, argnums=tuple(range(len(xs))))(*xs))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert_close(found, these.twice_on_tape(case), 1e-9, 1e-10)


def family(cases: list[tuple], named: dict[str, np.ndarray]) -> Computed:
    """Cases of (name, function, operands by name)."""
    return Computed([Case(name, function, operands) for name, function, *operands in cases], named)
