"""Which kernel serves a call: one per exact sizes at first, then one for all sizes that vary.

The leaves of a call have a family (structure, dtypes, ranks, static values) and sizes. The first sizes of a family are
compiled as numbers; sizes that differ from call to call become symbols, the same symbol where they were always equal.
Sizes 0 and 1 stay numbers, since broadcasting depends on them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradgen.errors import ArgumentError, DTypeError, ShapeError
from gradgen.ir.sizes import RELATIONS, evaluate
from gradgen.ir.types import SHORT, parse_type
from gradgen.pipeline import Built, Slot
from gradgen.trace.promotion import refuse_other_arrays


@dataclass
class Family:
    """Calls that differ in sizes only."""

    seen: list[tuple] = field(default_factory=list)
    built: list[Built] = field(default_factory=list)

    def serving(self, shapes: tuple) -> Built | None:
        """A kernel that is right for these sizes."""
        for found in self.built:
            env = match(found.slots, shapes)
            if env is not None and all(
                RELATIONS[r](evaluate(a, env), evaluate(b, env)) for a, r, b in found.guards
            ):  # fmt: skip
                return found
        return None


def match(slots: tuple[Slot, ...], shapes: tuple) -> dict[str, int] | None:
    """The symbols' values with which the slots have these shapes, or None."""
    env: dict[str, int] = {}
    for slot, shape in zip(slots, shapes, strict=True):
        for n, m in zip(slot.shape, shape, strict=True):
            if (env.setdefault(n, m) if isinstance(n, str) else n) != m:
                return None
    return env


def as_value(leaf):
    """A leaf of the arguments as what a kernel takes: a Python scalar, a NumPy scalar, a contiguous, aligned array."""
    if isinstance(leaf, (bool, int, float)) or (isinstance(leaf, np.generic) and leaf.dtype.name in SHORT):
        return leaf
    refuse_other_arrays(leaf)
    try:
        array = np.asarray(leaf)
    except Exception as error:
        raise DTypeError(f"an argument of type {type(leaf).__name__}: {error}") from None
    if array.dtype.name not in SHORT:
        raise DTypeError(f"an argument of type {type(leaf).__name__} and dtype {array.dtype}",
                         hint=f"mark it as static, or convert it to one of {', '.join(SHORT)}")  # fmt: skip
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.ndim == 0:
        return array[()]
    return writable(np.require(array, requirements=("C", "A")))


class _Alias:
    """The memory of a read-only array, as NumPy's array interface."""

    def __init__(self, array: np.ndarray):
        self.array = array
        self.__array_interface__ = {**array.__array_interface__, "data": (array.ctypes.data, False)}


def writable(array: np.ndarray) -> np.ndarray:
    """The same memory, marked writable: Numba would compile again for read-only arrays; no kernel writes to inputs."""
    return array if array.flags.writeable else np.asarray(_Alias(array))


def slot_of(value) -> Slot:
    """The exact slot of a value that `as_value` made."""
    if isinstance(value, np.ndarray):
        return Slot(value.dtype, value.shape)
    weak = not isinstance(value, np.generic)
    return Slot(np.dtype(type(value)) if weak else value.dtype, (), weak)


def symbolic_slots(slots: tuple[Slot, ...], seen: list[tuple], always: bool) -> tuple[tuple[Slot, ...], dict]:
    """Slots in which sizes that vary over `seen` (the last is the call at hand) are symbols, and their hints.

    `always`: every size above 1 becomes a symbol, whether it varied or not.
    """
    names: dict[tuple, str] = {}
    hints: dict[str, Any] = {}
    shapes: list[tuple] = []
    letters = iter([*"nmklpqrs", *(f"n{i}" for i in range(1000))])
    for place, slot in enumerate(slots):
        sizes: list = []
        for axis, n in enumerate(slot.shape):
            history = tuple(shape[place][axis] for shape in seen)
            varies = always or len(set(history)) > 1
            if not varies or n in (0, 1) or (0 in history or 1 in history):
                sizes.append(n)
                continue
            if history not in names:
                names[history] = next(letters)
                hints[names[history]] = n
            sizes.append(names[history])
        shapes.append(tuple(sizes))
    return tuple(Slot(s.dtype, shape, s.weak) for s, shape in zip(slots, shapes, strict=True)), hints


def declared_slots(
    signature: tuple[str, ...], slots: tuple[Slot, ...] | None
) -> tuple[tuple[Slot, ...], dict[str, Any]]:
    """Slots and hints of a signature; checked against the leaves of a call where there is one."""
    if slots is not None and len(signature) != len(slots):
        raise ArgumentError(f"signature of {len(signature)} types for {len(slots)} leaves",
                            hint="one string per leaf of the arguments, in order")  # fmt: skip
    found: list[Slot] = []
    hints: dict[str, Any] = {}
    for place, text in enumerate(signature):
        try:
            kind = parse_type(text)
        except ValueError as error:
            raise ArgumentError(f"signature: {error}") from None
        shape = tuple(str(n) if not isinstance(n, int) else n for n in kind.shape)
        for n in shape:
            if isinstance(n, str) and not re.fullmatch(r"[A-Za-z_]\w*", n):
                raise ArgumentError(f"signature {text!r}: size {n}", hint="sizes are letters or numbers")
        if slots is not None:
            _check_declared(text, kind, shape, slots[place], hints)
        found.append(Slot(kind.dtype, shape, slots[place].weak if slots is not None else False))
    return tuple(found), hints


def _check_declared(text: str, kind, shape: tuple, slot: Slot, hints: dict) -> None:
    given = f"{SHORT[slot.dtype.name]}[{','.join(map(str, slot.shape))}]"
    if kind.dtype != slot.dtype:
        raise DTypeError(
            f"signature {text!r}: the argument is {given}", hint=f"convert it with .astype(np.{kind.dtype})"
        )
    if len(shape) != len(slot.shape):
        raise ShapeError(f"signature {text!r}: the argument is {given}")
    for n, m in zip(shape, slot.shape, strict=True):
        if (hints.setdefault(n, m) if isinstance(n, str) else n) != m:
            raise ShapeError(f"signature {text!r}: the argument is {given}, size {n} is {hints.get(n, n)}")
