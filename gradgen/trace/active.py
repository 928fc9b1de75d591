"""What is being traced in this thread: graphs, bodies of loops, blocks without derivatives."""

from __future__ import annotations

import contextlib
import threading

from gradgen.ir.graph import Builder, Node
from gradgen.ops.leaves import stop_gradient


class Active(threading.local):
    def __init__(self):
        self.builders: list[Builder] = []
        self.frozen: dict[Builder, int] = {}  # in a no_grad block: what a trace had before it, by the last number
        self.scopes: list[object] = [None]  # bodies of loops and branches that are being traced
        self.plans: list[object] = []  # of the checkpointed functions that are being traced


class Frozen(contextlib.ContextDecorator):
    """A block in which the values that the traces under way have are constants; a transformation within works on."""

    def __enter__(self) -> None:
        self.before = active.frozen
        active.frozen = {builder: builder.fresh() for builder in active.builders}

    def __exit__(self, *_) -> None:
        active.frozen = self.before

    def _recreate_cm(self):
        return type(self)()


active = Active()


def held(builder: Builder, node: Node) -> Node:
    """The node as a constant to derivatives, where a no_grad block is open that is younger."""
    old = node.id <= active.frozen.get(builder, 0) and node.type.is_float
    return builder.add(stop_gradient, (node,)) if old else node


@contextlib.contextmanager
def scope():
    """The trace of a body: its values mean nothing outside."""
    active.scopes.append(object())
    try:
        yield
    finally:
        active.scopes.pop()


def active_builder() -> Builder | None:
    """The builder of the trace that is under way in this thread."""
    return active.builders[-1] if active.builders else None
