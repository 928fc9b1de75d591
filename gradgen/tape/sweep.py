"""The backward sweep: gates in reverse order, each passing on what it received.

    received = [None, None, ..., 1]      one gradient per gate; that of the output is 1
    for gate in reversed(gates): ...     gates stand in the order of computation, so all users of a gate come first

In order, not by recursion: in c = b + b, b must receive both contributions before it passes any on.

`where` is safe: a branch that was not taken contributes exactly 0. Its gradient starts as 0 and stays so, except where
a local gradient is inf or nan. So a sweep without masks that ends finite is right as it is (0 times a finite number is
0, and a nan never becomes a number again), and the sweep is repeated with masks only if it ended otherwise. A sweep
whose own gradient will be taken carries masks from the start: what is finite may have a derivative that is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gradgen.tape.gates import Gate
from gradgen.trace.promotion import is_traced

Seeds = Sequence[tuple[Gate, object]]


def sweep(gates: list[Gate], seeds: Seeds, count: int) -> list:
    """The gradients of the first `count` gates (the arguments), given those of some gates; None where nothing flows."""
    routed = any(gate.op.masks for gate in gates)
    with np.errstate(all="ignore"):
        if not routed:
            return pull(gates, seeds)[:count]
        if not any(is_traced(gate.out) for gate in gates) and not any(is_traced(g) for _, g in seeds):
            found = pull(gates, seeds)[:count]
            if all(g is None or np.isfinite(g).all() for g in found):
                return found
        return pull_masked(gates, seeds)[:count]


def pull(gates: list[Gate], seeds: Seeds) -> list:
    received: list = [None] * len(gates)
    for gate, g in seeds:
        received[gate.index] = g if received[gate.index] is None else received[gate.index] + g
    for gate in reversed(gates):
        g = received[gate.index]
        if g is None or not gate.parents:
            continue
        for parent, part in zip(gate.parents, gate.backward(g), strict=True):
            if part is not None:
                k = parent.index
                received[k] = part if received[k] is None else received[k] + part
        received[gate.index] = None  # passed on, and free
    return received


def pull_masked(gates: list[Gate], seeds: Seeds, seen: Callable[[Gate, object, list], None] | None = None) -> list:
    """The same with masks. `seen(gate, g, parts)` is told what every gate received and sent."""
    received: list = [None] * len(gates)
    masks: list = [None] * len(gates)
    for gate, g in seeds:
        received[gate.index] = g if received[gate.index] is None else received[gate.index] + g
    for gate in reversed(gates):
        g, mask = received[gate.index], masks[gate.index]
        if g is None:
            continue
        parts = gate.backward(g, mask) if gate.parents else []
        if seen is not None:
            seen(gate, g, parts)
        for parent, part, m in zip(gate.parents, parts, gate.masks(mask) if parts else [], strict=True):
            if part is None:
                continue
            k = parent.index
            if received[k] is None:
                received[k], masks[k] = part, m
            else:  # what counts in either contribution counts in the sum; no mask counts everywhere
                received[k] = received[k] + part
                masks[k] = None if masks[k] is None or m is None else masks[k] | m
    return received
