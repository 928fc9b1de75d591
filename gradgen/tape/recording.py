"""A computation laid open: every gate with its value, every edge with its gradient, as text.

    print(record(lambda x, y, z: (x + y) * z, -2.0, 5.0, -4.0).backward().show())

                          value  gradient
    x                        -2        -4
    y                         5        -4
    z                        -4         3
    %3 = add(x, y)            3        -4
      x                      -2        -4
      y                       5        -4
    %4 = multiply(%3, z)    -12         1
      %3                      3        -4
      z                      -4         3

A gate's line has its result and the gradient that arrived there; the lines below it have its operands and what it
sends each of them. A value that is used twice receives the sum.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import optree

from gradgen.errors import ArgumentError, DifferentiationError
from gradgen.ir.types import Type
from gradgen.tape.box import is_on
from gradgen.tape.gates import Gate
from gradgen.tape.sweep import pull_masked
from gradgen.tape.tapes import Tape
from gradgen.tape.transforms import enter
from gradgen.trace.arguments import name_of, parameter_names
from gradgen.trace.pytree import NAMESPACE


def record(f: Callable, *args) -> Recording:
    """f(*args), recorded gate by gate. All arguments are floats, or trees of floats; f returns one array or scalar."""
    with Tape() as tape:
        boxes, _ = enter(tape, f, args, range(len(args)))
        out = f(*boxes)
    if not is_on(tape, out) or out.gate is None:
        raise DifferentiationError(f"record: the result of {name_of(f)} does not come from its arguments",
                                   hint="return one array or scalar that was computed from them")  # fmt: skip
    return Recording(tape.gates, out.gate, _names(f, boxes))


def _names(f: Callable, boxes: list) -> list[str]:
    """One name per leaf of the arguments: x, params['w'], pair[0]."""
    found = []
    for name, tree in zip(parameter_names(f, len(boxes)), boxes, strict=True):
        found += [name + path.codify("") for path in optree.tree_accessors(tree, namespace=NAMESPACE)]
    return found


class Recording:
    """Gates in order of computation; gradients once `backward` has run.

    `gates`: the arguments first, then one per operation, each with `op`, `parents`, `xs` and `out`. `output`: the last
    gate. `gradient(gate)`: of the output with respect to gate.out. `sent(gate)`: one gradient per operand.
    """

    def __init__(self, gates: list[Gate], output: Gate, names: list[str]):
        self.gates, self.output, self.names = gates, output, names
        self._received: dict[Gate, object] = {}
        self._sent: dict[Gate, list] = {}

    def backward(self, g=None) -> Recording:
        """Send g (of the output's shape; 1 for a scalar) back through all gates."""
        out = self.output.out
        if g is None and out.shape != ():
            raise ArgumentError(f"backward: the output has shape {out.shape}", hint="pass its gradient: backward(g)")
        seed = np.ones((), out.dtype)[()] if g is None else np.broadcast_to(np.asarray(g, out.dtype), out.shape)
        self._received, self._sent = {}, {}
        with np.errstate(all="ignore"):
            pull_masked(self.gates, [(self.output, seed)], seen=self._note)
        return self

    def _note(self, gate: Gate, g, parts: list) -> None:
        self._received[gate], self._sent[gate] = g, parts

    def gradient(self, gate: Gate):
        return self._received.get(gate)

    def sent(self, gate: Gate) -> list:
        return self._sent.get(gate, [None] * len(gate.parents))

    def label(self, gate: Gate) -> str:
        return self.names[gate.index] if gate.index < len(self.names) else f"%{gate.index}"

    def show(self) -> str:
        """The table above. Constants have no gradient; arrays of more than twelve numbers are shown as their type."""
        rows = [("", "value", "gradient")]
        for gate in self.gates:
            operands = [self._operand(p, x) for p, x in zip(gate.parents, gate.xs, strict=True)]
            name = self.label(gate)
            title = f"{name} = {gate.op.name}({', '.join(operands)})" if gate.parents else name
            rows.append((title, _text(gate.out), _text(self.gradient(gate))))
            for operand, x, part in zip(operands, gate.xs, self.sent(gate), strict=True):
                if np.ndim(x) or operand != _text(x):
                    rows.append(("  " + operand, _text(x), _text(part)))
        widths = [max(len(row[k]) for row in rows) for k in range(3)]
        return "\n".join(f"{a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}".rstrip() for a, b, c in rows)

    __str__ = show

    def _operand(self, parent: Gate | None, x) -> str:
        if parent is not None:
            return self.label(parent)
        return _text(x) if np.ndim(x) == 0 else str(Type(x.dtype, x.shape))


def _text(x) -> str:
    """A number or a short array in full, a long one as its type; nothing for no gradient."""
    if x is None:
        return ""
    if np.ndim(x) == 0:
        return f"{x:.6g}" if not isinstance(x, (bool, np.bool_)) else str(x)
    if x.size > 12:
        return str(Type(x.dtype, x.shape))
    return np.array2string(x, precision=4, formatter={"float_kind": lambda v: f"{v:.4g}"}).replace("\n", "")
