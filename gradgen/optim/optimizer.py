"""What all optimisers share: pytrees, dtypes, the step count. An optimiser itself is a rule for one array.

    optimizer = gg.optim.adam(lr=1e-3)
    state = optimizer.init(params)
    params, state = optimizer.update(grads, state, params)

Both are pure functions of pytrees, in NumPy that gradgen traces, so a whole training loop compiles with them in it.
state: a dict of "step" (updates done so far, float64: exact to 2**53) and, for each slot of the rule, a tree like
params. Factors that depend on the step are computed in float64, then rounded to each array's dtype: float32 stays so.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gradgen.errors import ArgumentError, DTypeError
from gradgen.trace.pytree import flatten, unflatten


@dataclass(frozen=True)
class Optimizer:
    """A frozen set of hyperparameters. Subclasses state `slots` and `rule`, and `factors` where there are more than lr.

    lr: a number >= 0, or a schedule: step (0, 1, ...) -> number, as in gg.optim.cosine.
    """

    lr: float | Callable = 1e-3
    slots: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self):
        if not callable(self.lr):
            at_least(self, "lr", 0)

    def factors(self, step) -> tuple:
        """The scalars of the update after `step` others, each a Python float or float64."""
        return (self.rate(step),)

    def rule(self, factors: tuple, g, w, *slots) -> tuple:
        """One array: (new w, *new slots). factors in w's dtype; g, w and slots of one shape."""
        raise NotImplementedError(f"{type(self).__name__} states no rule")

    def rate(self, step):
        return self.lr(step) if callable(self.lr) else self.lr

    def init(self, params) -> dict[str, Any]:
        """The state before the first update. Raises DTypeError where a leaf is not floating point."""
        leaves, tree = flatten(params)
        for leaf in leaves:
            dtype = leaf.dtype if hasattr(leaf, "dtype") else np.dtype(type(leaf))
            if dtype.kind != "f":
                raise DTypeError(f"{type(self).__name__}: parameters must be floating point, got {dtype}")
        slots = {name: unflatten(tree, [np.zeros_like(leaf) for leaf in leaves]) for name in self.slots}
        return {"step": np.float64(0), **slots}

    def update(self, grads, state: dict[str, Any], params) -> tuple[Any, dict[str, Any]]:
        """New parameters and new state; nothing is changed in place. Raises ValueError where the trees differ."""
        leaves, tree = flatten(params)
        trees = [grads, *(state[name] for name in self.slots)]
        columns = zip(*(tree.flatten_up_to(t) for t in trees), strict=True) if leaves else ()
        factors = self.factors(state["step"])
        new = [
            self.rule(tuple(in_dtype_of(w, f) for f in factors), in_dtype_of(w, g), w, *slots)
            for w, (g, *slots) in zip(leaves, columns, strict=True)
        ]
        new_params, *new_slots = (tree.unflatten(row[k] for row in new) for k in range(1 + len(self.slots)))
        return new_params, {"step": state["step"] + 1, **dict(zip(self.slots, new_slots, strict=True))}


def in_dtype_of(w, x):
    """Cast x to the dtype of w. Python numbers have none: they follow the array that they meet."""
    if not (hasattr(x, "dtype") and hasattr(w, "dtype")) or x.dtype == w.dtype:
        return x
    return x.astype(w.dtype)


def at_least(record, name: str, low: float) -> None:
    """Check a hyperparameter, low <= value < inf, and make it a Python float, which never widens float32."""
    _check(record, name, lambda value: low <= value < float("inf"), f"at least {low:g} and finite")


def positive(record, name: str) -> None:
    """Check 0 < value < inf, as `at_least`."""
    _check(record, name, lambda value: 0 < value < float("inf"), "positive and finite")


def fraction(record, name: str) -> None:
    """Check 0 <= value < 1, as `at_least`."""
    _check(record, name, lambda value: 0 <= value < 1, "in [0, 1)")


def _check(record, name, accepts, wanted):
    value = getattr(record, name)
    if not isinstance(value, numbers.Real):
        if hasattr(value, "dtype") and value.ndim == 0:
            return  # an array or a traced value, of which only the type is known
        raise ArgumentError(f"{type(record).__name__}: {name} must be a number, got {value!r}")
    if not accepts(value):
        raise ArgumentError(f"{type(record).__name__}: {name} must be {wanted}, got {value}")
    object.__setattr__(record, name, float(value))
