"""The numbers of an optimiser, taken out of it and put back.

in:  adam(lr=cosine(rate=0.1, steps=100))
out: {"b1": 0.9, "b2": 0.999, "eps": 1e-8, "lr": {"final": 0.0, "rate": 0.1, "steps": 100.0}}, and what is left

So a compiled step takes them as arguments, and a search over learning rates compiles once. Only records of
gradgen.optim are opened: those are known to compute with their numbers and never to branch on them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable
from typing import Any

HOME = "gradgen.optim"


def values(record) -> dict[str, Any]:
    """The floats of a record, by field; those of the records in it nested."""
    found: dict[str, Any] = {}
    for name in _fields(record):
        value = getattr(record, name)
        if type(value) is float:
            found[name] = value
        elif _fields(value):
            found[name] = values(value)
    return found


def filled(record, numbers: dict[str, Any]):
    """The record with other numbers, which may be traced ones."""
    changes = {k: filled(getattr(record, k), v) if isinstance(v, dict) else v for k, v in numbers.items()}
    return dataclasses.replace(record, **changes) if changes else record


def form(record) -> Hashable:
    """All of a record but its numbers: equal where one compiled step serves both."""
    names = _fields(record)
    if not names:
        return record
    return type(record), tuple(float if type(v := getattr(record, name)) is float else form(v) for name in names)


def _fields(record) -> list[str]:
    ours = dataclasses.is_dataclass(record) and type(record).__module__.startswith(HOME)
    return [f.name for f in dataclasses.fields(record)] if ours else []
