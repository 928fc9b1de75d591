"""Statements of the loop program that loops and branches of the user need: see schedule/program.py for the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gradgen.ir.graph import Node
from gradgen.schedule.program import Buffer


@dataclass
class While:
    """Steps counted by `var`, until a Stop; an error where there would be more than `limit`."""

    var: str
    limit: int | None
    body: list = field(default_factory=list)
    node: Node | None = None


@dataclass
class Stop:
    """Leave the loop unless `expr`."""

    expr: Any
    node: Node | None = None


@dataclass
class If:
    expr: Any
    then: list
    otherwise: list
    node: Node | None = None


@dataclass
class Length:
    """`name`, a size from here on, is the value of `expr`."""

    name: str
    expr: Any
    node: Node | None = None


@dataclass
class Allocate:
    """Memory for a stack: of its own shape, or of `rows` rows where it grows."""

    buffer: Buffer
    rows: int | None = None
    node: Node | None = None


@dataclass
class Grow:
    """More memory for the stacks of a while loop, where they have no row for index `var` + 1."""

    buffers: tuple[Buffer, ...]
    var: str
    node: Node | None = None


@dataclass
class View:
    """A buffer's name for memory of another, from here on."""

    buffer: Buffer
    node: Node | None = None


@dataclass
class Swap:
    """Two arrays change places: what was written in this step is read in the next."""

    buffer: Buffer
    other: Buffer
    node: Node | None = None
