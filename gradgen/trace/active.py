"""What is being traced in this thread: graphs, bodies of loops, blocks without derivatives."""

from __future__ import annotations

import contextlib
import threading

from gradgen.ir.graph import Builder


class Active(threading.local):
    def __init__(self):
        self.builders: list[Builder] = []
        self.frozen = 0  # depth of no_grad blocks
        self.scopes: list[object] = [None]  # bodies of loops and branches that are being traced
        self.plans: list[object] = []  # of the checkpointed functions that are being traced


class no_grad(contextlib.ContextDecorator):  # noqa: N801  a verb, as in `with no_grad():`
    """Values computed inside are constants to every derivative. A context manager, and a decorator."""

    def __enter__(self) -> None:
        active.frozen += 1

    def __exit__(self, *_) -> None:
        active.frozen -= 1


active = Active()


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
