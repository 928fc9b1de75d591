"""Gates: the operations of a recorded computation, each with one step forward and one step back.

    x --+                      forward:   out = op(*xs), kept together with xs
        +-- [gate] -- out      backward:  the gradient of out  ->  what each x gets of the gradient
    y --+

A gate knows nothing of the gates around it: forward needs its operands' values, backward the gradient of its result
and the values it kept. The facts come from the op's record, the same that the compiler reads: local gradients
(`partials`) for elementwise ops and some reductions, `transposes` for linear ops.

A gradient may come with a mask, a bool array that is False where the gradient must stay exactly 0. Products are
masked again, because 0 * inf is nan. See tape/sweep.py.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from gradgen.errors import DifferentiationError
from gradgen.ir.source import users_line
from gradgen.ops import leaves, views
from gradgen.ops.record import CALL, ELEMENTWISE, REDUCTION, Op
from gradgen.ops.reductions import spread
from gradgen.trace.promotion import is_traced

PYTHON = frozenset((float, int))
# Python's operator gives what the ufunc gives, and on NumPy's scalars in a fraction of the time.
_OPERATORS: dict[np.ufunc, Callable] = {
    np.add: operator.add, np.subtract: operator.sub, np.multiply: operator.mul, np.divide: operator.truediv,
    np.power: operator.pow, np.negative: operator.neg, np.absolute: operator.abs,
}  # fmt: skip


@cache
def function_of(op: Op) -> Callable:
    """What computes an elementwise op on arrays, and on values that record in their turn."""
    # Of the evals only ufuncs take values that record; for the others the op itself finds out who computes.
    return _OPERATORS.get(op.eval, op.eval) if isinstance(op.eval, np.ufunc) else op


class Gate:
    """One operation. `xs`: its operands' values; `parents`: the gates they come from, None for constants."""

    __slots__ = ("attrs", "index", "op", "out", "parents", "xs")
    index: int  # on its tape
    out: Any

    def __init__(self, op: Op, xs: list, parents: list, attrs: dict):
        self.op, self.xs, self.parents, self.attrs = op, xs, parents, attrs

    def forward(self):
        """Compute `out` from `xs`."""
        self.out = self.op(*self.xs, **self.attrs)
        return self.out

    def backward(self, g, mask=None) -> list:
        """The gradient of every operand, given that of `out`; None where nothing flows."""
        raise NotImplementedError

    def masks(self, mask) -> list:
        """The mask of every operand's gradient, given that of `out`'s; None: it counts everywhere."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<gate {self.index}: {self.op.name}>"


class Source(Gate):
    """Where an argument enters: a value that no operation made."""

    __slots__ = ()

    def __init__(self, value):
        super().__init__(leaves.input, [], [], {})
        self.out = value

    def forward(self):
        return self.out


class Elementwise(Gate):
    """out[i] = op(x[i], y[i]), operands broadcast by NumPy. Each gets g times its local gradient."""

    __slots__ = ()

    def forward(self):
        self.out = function_of(self.op)(*self.xs) if not self.attrs else self.op(*self.xs, **self.attrs)
        return self.out

    def operands(self) -> list:
        # A Python number in the dtype it was computed with: 1 / 0.0 is an error in Python, and inf in a rule.
        return [self.out.dtype.type(x) if x.__class__ in PYTHON else x for x in self.xs]

    def backward(self, g, mask=None):
        xs = self.operands()
        partials = self.op.partials(self.out, *xs)
        routes = self.op.masks(self.out, *xs) if self.op.masks else None
        parts: list = []
        for k, parent in enumerate(self.parents):
            partial = partials[k]
            if parent is None or partial is None:
                parts.append(None)
                continue
            part = scale(g, partial)
            if mask is not None and partial.__class__ is not int:
                part = np.where(mask, part, 0)
            if routes is not None and routes[k] is not None:
                part = np.where(routes[k], part, 0)
            parts.append(fit(part, xs[k]))
        return parts

    def masks(self, mask):
        xs = self.operands()
        routes = self.op.masks(self.out, *xs) if self.op.masks else [None] * len(xs)
        return [_fit_mask(both(mask, route), self.out, x) for x, route in zip(xs, routes, strict=True)]


class Reduction(Gate):
    """out = op(x over axes), for reductions that are not linear: g is laid out over x, then as for `Elementwise`."""

    __slots__ = ()

    def backward(self, g, mask=None):
        (x,) = self.xs
        (partial,) = self.op.partials(self.out, x, **self.attrs)
        part = scale(spread(g, x, **self.attrs), partial)
        if mask is not None:
            part = np.where(spread(mask, x, **self.attrs), part, 0)
        if self.op.masks:
            (route,) = self.op.masks(self.out, x, **self.attrs)
            part = np.where(route, part, 0)
        return [fit(part, x)]

    def masks(self, mask):
        (x,) = self.xs
        (route,) = self.op.masks(self.out, x, **self.attrs) if self.op.masks else (None,)
        return [both(None if mask is None else spread(mask, x, **self.attrs), route)]


class Linear(Gate):
    """An op that is linear in each operand: views, sums, products of matrices. Each gets the transpose applied to g."""

    __slots__ = ()

    def backward(self, g, mask=None):
        xs = self.xs
        if mask is not None and self.op.kind == CALL:
            # In where(c, h @ w, 0), rows of h that were not taken may be inf: they would make nan of w's gradient.
            xs = [x if m is None else np.where(m, x, 0) for x, m in zip(xs, self.masks(mask), strict=True)]
        return [
            None if parent is None or self.op.transposes[k] is None else self.op.transposes[k](g, *xs, **self.attrs)
            for k, parent in enumerate(self.parents)
        ]

    def masks(self, mask):
        if mask is None:
            return [None] * len(self.xs)
        # An operand counts where any result that counts is made from it: the same transpose, over 0s and 1s.
        ones = [np.ones(x.shape) if x.dtype.kind == "f" else x for x in self.xs]
        counts = mask.astype(float)
        return [
            self.op.transposes[k](counts, *ones, **self.attrs) > 0 if x.dtype.kind == "f" else None
            for k, x in enumerate(self.xs)
        ]


class Opaque(Gate):
    """An op without a rule. Computing with it is no error; asking for its gradient is, and says where it stands."""

    __slots__ = ("where",)

    def forward(self):
        self.where = users_line()
        return super().forward()

    def backward(self, _g, _mask=None):
        raise DifferentiationError(f"{self.op.name} has no derivative rule", where=self.where,
                                   hint="gg.stop_gradient(x) treats a value as constant")  # fmt: skip


@cache
def kind_of(op: Op) -> type[Gate]:
    """The class of an op's gates."""
    if op.partials is not None and op.kind in (ELEMENTWISE, REDUCTION):
        return Elementwise if op.kind == ELEMENTWISE else Reduction
    return Linear if op.transposes else Opaque


def scale(g, partial):
    """The product g * partial, without multiplying by 1 or -1."""
    if partial.__class__ is int:
        return g if partial == 1 else -g if partial == -1 else g * partial
    return g * partial


def fit(g, x):
    """The gradient for an operand that NumPy broadcast or promoted: summed where x was repeated, in x's dtype."""
    if g.shape != x.shape:
        g = views.broadcast_to.transposes[0](g, x, g.shape)
    return g if g.dtype == x.dtype else g.astype(x.dtype)


def _fit_mask(mask, out, x):
    """The mask for an operand that was broadcast: it counts where any of its copies does."""
    if mask is None or mask.shape == x.shape:
        return mask
    copies = np.broadcast_to(mask, out.shape).astype(float)
    return views.broadcast_to.transposes[0](copies, x, out.shape) > 0


def both(mask, route):
    """The conjunction, where None is true everywhere. A route may be numbers, or record: a bool array comes out."""
    if route is None:
        return mask
    while is_traced(route):
        route = route.value
    route = np.asarray(route).astype(bool)
    return route if mask is None else mask & route
