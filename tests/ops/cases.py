"""Every op of the registry, at every dtype, broadcast pattern and view, as NumPy functions over shared arrays.

Compiling costs a fifth of a second per kernel, so cases come in groups: the cases of one group share a pool of arrays
and are compiled into one kernel, whose results the tests then look at one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from gradgen.errors import DTypeError
from gradgen.ops import REGISTRY
from gradgen.ops.record import ELEMENTWISE, Op
from gradgen.trace import promotion

OTHER = {"copy", "astype"}  # ops that need attributes; test_views.py and test_reductions.py name them
PATTERNS = {
    1: {"array": [(3, 4)], "scalar": [()], "vector": [(5,)], "empty": [(0, 4)]},
    2: {
        "same": [(3, 4), (3, 4)], "row": [(3, 4), (4,)], "column": [(3, 1), (3, 4)], "outer": [(3, 1), (1, 4)],
        "scalar": [(3, 4), ()], "scalars": [(), ()], "empty": [(0, 4), (4,)],
    },
    3: {
        "same": [(3, 4), (3, 4), (3, 4)], "rows": [(3, 1), (4,), (3, 4)], "scalar": [(3, 4), (), ()],
        "scalars": [(), (), ()],
    },
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """`function` at `keys` of the pool of its group."""

    name: str
    group: str
    function: Callable
    keys: tuple[str, ...]
    differentiable: bool = False

    def args(self) -> list:
        return [pool(self.group)[k] for k in self.keys]

    def __str__(self) -> str:
        return f"{self.group}-{self.name}"


@dataclass
class Group:
    arrays: dict
    cases: list


GROUPS: dict[str, Group] = {}


def pool(group: str) -> dict:
    return GROUPS[group].arrays


def cases(differentiable: bool = False, only: str = "") -> list[Case]:
    found = [c for g in GROUPS.values() for c in g.cases if c.group.startswith(only)]
    return [c for c in found if c.differentiable] if differentiable else found


def add(group: str, arrays: dict, named: dict[str, Callable], keys: tuple[str, ...], differentiable: bool = True) -> None:
    made = [Case(name, group, f, keys, differentiable) for name, f in named.items()]
    known = GROUPS.setdefault(group, Group({}, []))
    known.arrays.update(arrays)
    known.cases.extend(made)


def apply(op: Op, *xs):
    """The op as NumPy would apply it: traced where a value is, else by its `eval`."""
    return promotion.elementwise(op, xs) if any(promotion.is_traced(x) for x in xs) else op.eval(*xs)


def _values(rng, bounds, shape, dtype):
    if bounds == (0, 1) and all(isinstance(b, int) for b in bounds):
        return rng.random(shape) < 0.5 if shape else bool(rng.random() < 0.5)
    low, high = bounds
    if dtype.kind == "i":
        return rng.integers(int(np.ceil(low)), max(int(high), int(np.ceil(low))) + 1, shape, dtype)
    return rng.uniform(low, high, shape).astype(dtype) if shape else dtype.type(rng.uniform(low, high))


def _accepts(op: Op, dtype: np.dtype) -> bool:
    dtypes = [np.dtype(bool) if b == (0, 1) else dtype for b in op.sample]
    try:
        return op.loop is not None and tuple(op.loop(tuple(dtypes)))[:-1] is not None
    except DTypeError:
        return False


def _elementwise() -> None:
    rng = np.random.default_rng(1)
    for op in REGISTRY.values():
        if op.kind != ELEMENTWISE or not op.sample or op.name in OTHER or op.loop is None:
            continue
        for dtype in (np.dtype(np.float64), np.dtype(np.float32), np.dtype(np.int64), np.dtype(np.int32)):
            if not _accepts(op, dtype) or (dtype.kind == "i" and all(b == (0, 1) for b in op.sample)):
                continue
            for pattern, shapes in PATTERNS[len(op.sample)].items():
                group = f"{dtype.name}-{len(shapes)}-{pattern}"
                arrays = GROUPS.setdefault(group, Group({}, [])).arrays
                keys = [f"{place}{bounds}" for place, bounds in enumerate(op.sample)]
                for key, bounds, shape in zip(keys, op.sample, shapes, strict=True):
                    if key not in arrays:
                        arrays[key] = _values(rng, bounds, shape, dtype)
                smooth = dtype.kind == "f" and op.partials is not None and op.name != "stop_gradient"
                add(group, {}, {op.name: lambda *xs, op=op: apply(op, *xs)}, tuple(keys), smooth)


_elementwise()


@cache
def compiled_values(group: str) -> dict:
    """The results of all cases of a group from one kernel."""
    import gradgen as gg

    def together(arrays):
        return {c.name: c.function(*(arrays[k] for k in c.keys)) for c in GROUPS[group].cases}

    return gg.jit(together)(pool(group))


def loss_of(case: Case) -> Callable:
    """A scalar function of the case's arguments in which every element of the result has a weight of its own."""

    def loss(*xs):
        out = case.function(*xs)
        weights = np.cos(np.arange(int(np.prod(np.shape(out)))) + 0.5).reshape(np.shape(out))
        return np.sum(out * weights.astype(out.dtype))

    return loss


def float_places(case: Case) -> tuple[int, ...]:
    return tuple(k for k, x in enumerate(case.args()) if np.asarray(x).dtype.kind == "f")


@cache
def compiled_gradients(group: str) -> dict:
    """The gradients of all differentiable cases of a group from one kernel."""
    import gradgen as gg

    def together(arrays):
        return {
            c.name: gg.grad(loss_of(c), argnums=float_places(c))(*(arrays[k] for k in c.keys))
            for c in GROUPS[group].cases
            if c.differentiable
        }

    return gg.jit(together)(pool(group))
