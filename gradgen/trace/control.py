"""Loops and branches as users write them: `scan`, `fori_loop`, `while_loop`, `cond`.

Inside a trace the body is traced once and becomes a graph of its own (ops/control.py). Outside of one, and on the
tape, the same verbs run as plain Python (trace/eager.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradgen.errors import ArgumentError, DTypeError, ShapeError
from gradgen.ir import sizes
from gradgen.ir.graph import Builder, Graph, Node
from gradgen.ir.sizes import Dim, Size, same
from gradgen.ir.source import users_line
from gradgen.ir.types import Type
from gradgen.ops.control import branch, loop_attrs, pick
from gradgen.ops.leaves import INT64
from gradgen.ops.subgraphs import close
from gradgen.trace import eager, promotion
from gradgen.trace.active import active_builder, scope
from gradgen.trace.agreement import agreed, converted, widened
from gradgen.trace.checkpoint import add_loop
from gradgen.trace.labels import label, unpacked_names
from gradgen.trace.promotion import is_traced
from gradgen.trace.pytree import flatten, unflatten
from gradgen.trace.tracer import Tracer, UserSize, fresh_input, lift_output, lifted

__all__ = ["cond", "fori_loop", "scan", "while_loop"]


def scan(body: Callable, carry, xs=None, length: int | None = None, reverse: bool = False) -> tuple:
    """(last carry, ys): carry, y = body(carry, x) for every x along the first axis of the leaves of xs, in order.

    carry, xs, ys: pytrees; each leaf of ys gains a first axis. xs=None: `length` steps; reverse: from the last x to
    the first. Numbers in the first carry take the type that the body gives them; else a carry that changes its type
    is an error, ShapeError or DTypeError. `length` may be a traced integer.
    """
    if _runs_eagerly((carry, xs, length)):
        return eager.scan(body, carry, xs, length, reverse)
    builder = _builder()
    x_leaves, x_spec = flatten(xs)
    rows = [lifted(builder, x) for x in x_leaves]
    n, count = _length(builder, rows, length)

    def step(index: Tracer, carried, xs_now: list) -> tuple:
        result = body(carried, unflatten(x_spec, xs_now))
        if not isinstance(result, tuple) or len(result) != 2:
            raise ArgumentError("scan: the body did not return two values", where=users_line(),
                                hint="return carry, y; y may be None")  # fmt: skip
        return result

    made = _Loop("scan", builder, step, carry, rows, body, 0).build(n, count, reverse=reverse)
    return made.last, made.ys


def fori_loop(lo, hi, body: Callable, carry) -> Any:
    """The last carry of `for i in range(lo, hi): carry = body(i, carry)`.

    carry: a pytree whose types stay what they are (see `scan`). lo, hi: ints, sizes or traced integers; no step is
    made where hi <= lo.
    """
    if _runs_eagerly((carry, lo, hi)):
        return eager.fori_loop(lo, hi, body, carry)
    builder = _builder()
    n, count = _steps(builder, lo, hi)
    first: Any = lo if is_traced(lo) or isinstance(lo, UserSize) else _integer(lo, "fori_loop: lo")

    def step(index: Tracer, carried, _: list) -> tuple:
        return body(index if isinstance(first, int) and first == 0 else first + index, carried), None

    return _Loop("fori_loop", builder, step, carry, [], body, 1).build(n, count).last


def while_loop(cond: Callable, body: Callable, carry, max_steps: int | None = None) -> Any:
    """The last carry of `while cond(carry): carry = body(carry)`.

    carry: a pytree whose types stay what they are (see `scan`). max_steps: RuntimeError where the loop would make
    more. It has a reverse mode: the carries of all steps are kept on a stack that grows.
    """
    if _runs_eagerly((carry,)):
        return eager.while_loop(cond, body, carry, max_steps)
    limit = None if max_steps is None else _integer(max_steps, "while_loop: max_steps")
    making = _Loop("while_loop", _builder(), lambda _i, carried, _xs: (body(carried), None), carry, [], body, 0)
    return making.build(None, None, condition=cond, limit=limit).last


def cond(pred, if_true: Callable, if_false: Callable, *operands) -> Any:
    """if_true(*operands) where pred, else if_false(*operands); only the branch that is taken runs.

    pred: a scalar. Both return pytrees of one structure and the same types; numbers take the other branch's type.
    """
    if _runs_eagerly((pred, operands)) or not is_traced(pred):
        return eager.cond(pred, if_true, if_false, *operands)
    if pred.shape != ():
        raise ShapeError(f"cond: pred is {pred.type}, not a scalar", where=users_line(),
                         hint="np.where(mask, a, b) chooses element by element")  # fmt: skip
    builder = _builder()
    since = builder.fresh()
    leaves, spec = flatten(operands)
    actual = [lifted(builder, x) for x in leaves]
    inputs = [fresh_input(builder, x.type, x.weak) for x in actual]
    _label(inputs, [None] * len(inputs), "operand")
    nodes = [x.node for x in inputs]
    outs, specs = [], []
    for function in (if_true, if_false):
        with scope():
            inputs = [Tracer(builder, n, x.weak) for n, x in zip(nodes, actual, strict=True)]
            found, found_spec = flatten(function(*unflatten(spec, inputs)))
            values = [lifted(builder, x) for x in found]
            results = [(x.node, x.weak) for x in values]
        outs.append([Tracer(builder, n, weak) for n, weak in results])
        specs.append(found_spec)
    if specs[0] != specs[1]:
        raise ArgumentError(f"cond: the branches return {specs[0]} and {specs[1]}", where=users_line())
    pairs = [agreed("cond", a, b) for a, b in zip(*outs, strict=True)]
    made = _branches(builder, pred != 0 if pred.dtype.kind != "b" else pred, nodes, actual, pairs, since)
    weak = [a.weak and b.weak for a, b in pairs]
    return unflatten(specs[0], [Tracer(builder, pick(builder, made, k), w) for k, w in enumerate(weak)])


def _branches(builder: Builder, pred, nodes: list, actual: list, pairs: list, since: int) -> Node:
    label({}, [x.node for pair in pairs for x in pair])
    both, outside = close(nodes, [x.node for pair in pairs for x in pair], "both", since)
    then, otherwise = (
        Graph(both.inputs, both.outputs[k::2], name, both.input_names) for k, name in enumerate(("then", "otherwise"))
    )
    operands = [pred.node, *(x.node for x in actual), *outside]
    return builder.add(branch, operands, {"then": then, "otherwise": otherwise}, users_line())


# -- loops


@dataclass
class Made:
    """A loop's results in the user's structure."""

    last: Any
    ys: Any


@dataclass
class _Loop:
    """One loop under construction. `step`: (index, carry, rows) -> (carry, ys), in the user's structure."""

    what: str
    builder: Builder
    step: Callable
    carry: Any
    rows: list
    body: Callable
    place: int  # of the carry among the body's parameters

    def build(self, n: Size | None, count, condition: Callable | None = None, reverse=False, limit=None) -> Made:
        """Trace the body until the types of the carry settle, then add the node."""
        with scope():
            traced = self._traced(condition)
        return self._added(n, count, reverse, limit, *traced)

    def _traced(self, condition: Callable | None) -> tuple:
        """(structures of carry and ys, first carries, new carries, ys, condition, inputs)."""
        leaves, spec = flatten(self.carry)
        inits = [lifted(self.builder, x) for x in leaves]
        for _ in range(4):
            index = fresh_input(self.builder, Type(INT64), weak=True)
            index.node.label = "i"
            carries = [fresh_input(self.builder, x.type, x.weak) for x in inits]
            rows = [fresh_input(self.builder, x.type.with_shape(x.type.shape[1:])) for x in self.rows]
            _label(carries, unpacked_names(self.body, self.place, len(carries)), "carry")
            _label(rows, unpacked_names(self.body, 1, len(rows)), "x")
            for x in carries:
                x.own = True  # an array of the body
            plain = [Tracer(self.builder, x.node, x.weak) for x in carries]  # the body may assign into its own
            new, ys, y_spec = self._step(spec, index, carries, rows)
            settled = [widened(self.what, x, y) for x, y in zip(inits, new, strict=True)]
            if all(a.type == b.type and a.weak == b.weak for a, b in zip(settled, inits, strict=True)):
                break
            inits = settled
        inputs = [x.node for x in (index, *plain, *rows)]
        new = [converted(y, x.type) for x, y in zip(inits, new, strict=True)]
        test = [] if condition is None else [_test(condition(unflatten(spec, plain)))]
        return spec, y_spec, inits, new, ys, test, inputs

    def _added(self, n, count, reverse, limit, spec, y_spec, inits, new, ys, test, inputs) -> Made:
        outputs = [*(x.node for x in test), *(x.node for x in new), *(x.node for x in ys)]
        label({}, outputs)
        both, outside = close(inputs, outputs, "body")
        body = Graph(both.inputs, both.outputs[len(test) :], "body", both.input_names)
        check = Graph(both.inputs, both.outputs[:1], "condition", both.input_names) if test else None
        if n is None:
            n = sizes.symbol(f"steps{self.builder.fresh()}")
        attrs = loop_attrs(body, len(inits), len(self.rows), n, condition=check, counted=count is not None,
                           reverse=reverse, limit=limit)  # fmt: skip
        given = [x.node for x in (*([count] if count is not None else []), *inits, *self.rows)]
        results = add_loop(self.builder, [*given, *outside], attrs, users_line())
        weak = [x.weak and y.weak for x, y in zip(inits, new, strict=True)] + [False] * len(ys)
        found = [Tracer(self.builder, n, w) for n, w in zip(results, weak, strict=True)]
        return Made(unflatten(spec, found[: len(new)]), unflatten(y_spec, found[len(new) :]))

    def _step(self, spec, index: Tracer, carries: list, rows: list) -> tuple:
        result, ys = self.step(index, unflatten(spec, carries), rows)
        new, new_spec = flatten(result)
        if new_spec != spec:
            raise ArgumentError(f"{self.what}: the body turns the structure {spec} of its carry into {new_spec}",
                                where=users_line(), hint="return a carry like the one that came in")  # fmt: skip
        found, y_spec = flatten(ys)
        return [lifted(self.builder, x) for x in new], [lift_output(self.builder, y) for y in found], y_spec


def _builder() -> Builder:
    return active_builder()  # type: ignore[return-value]


def _runs_eagerly(trees) -> bool:
    """Whether no graph is being built: outside of traces, and on the tape."""
    if active_builder() is None:
        return True
    return any(is_traced(x) and not isinstance(x, Tracer) for x in flatten(trees)[0])


def _integer(value, what: str) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or np.ndim(value):
        raise ArgumentError(f"{what} is {value!r}", where=users_line(), hint="an integer")
    return value.__index__()


def _label(inputs: Sequence[Tracer], names: Sequence[str | None], fallback: str) -> None:
    for k, (x, name) in enumerate(zip(inputs, names, strict=True)):
        x.node.label = name or (fallback if len(inputs) == 1 else f"{fallback}{k}")


def _test(value) -> Tracer:
    if not is_traced(value):
        value = lift_output(_builder(), np.bool_(value))
    if value.shape != ():
        raise ShapeError(f"while_loop: the condition is {value.type}, not a scalar", where=users_line(),
                         hint="np.any or np.all of it is one")  # fmt: skip
    return value if value.dtype.kind == "b" else value != 0


# -- lengths


def _length(builder: Builder, rows: list, length) -> tuple[Size, Any]:
    """The length of a scan, and the traced number that it is where no size says it."""
    found: Size | None = None
    for x in rows:
        if x.ndim == 0:
            raise ShapeError(f"scan: xs has a scalar leaf of type {x.type}", where=users_line(),
                             hint="close over what is the same in every step")  # fmt: skip
        n = x.type.shape[0]
        if found is not None and not same(found, n):
            raise ShapeError(f"scan: leaves of xs have lengths {found} and {n}", where=users_line())
        found = n
    if length is None and found is None:
        raise ArgumentError("scan: neither xs nor length says how many steps", where=users_line(), hint="length=100")
    if length is None:
        return found, None  # type: ignore[return-value]
    given = length.__gradgen_dim__ if isinstance(length, UserSize) else length
    if is_traced(given):
        if found is not None:
            raise ArgumentError("scan: a traced length beside xs", where=users_line(), hint="leave length out")
        return _counted(builder, given)
    given = given if isinstance(given, Dim) else _integer(given, "scan: length")
    if isinstance(given, int) and given < 0:
        raise ArgumentError(f"scan: length={given}", where=users_line())
    if found is not None and not same(found, given):
        raise ShapeError(f"scan: length {given}, but xs has {found}", where=users_line())
    return given, None


def _counted(builder: Builder, n: Tracer) -> tuple[Size, Any]:
    if n.dtype.kind not in "iu" or n.shape != ():
        raise DTypeError(
            f"a number of steps of type {n.type}", where=users_line(), hint=".astype(np.int64) of a scalar"
        )
    return sizes.symbol(f"steps{builder.fresh()}"), np.maximum(promotion.cast(n, INT64), 0)


def _steps(builder: Builder, lo, hi) -> tuple[Size, Any]:
    """How many steps range(lo, hi) has."""
    for bound in (lo, hi):
        if is_traced(bound) and (bound.dtype.kind not in "iu" or bound.shape != ()):
            raise DTypeError(f"fori_loop: a bound of type {bound.type}", where=users_line(), hint="an integer scalar")
    if is_traced(lo) or is_traced(hi):
        return _counted(builder, promotion.lift(hi - lo, lifted(builder, 0)))
    low, high = (b.__gradgen_dim__ if isinstance(b, UserSize) else _integer(b, "fori_loop: bound") for b in (lo, hi))
    n = high - low
    if isinstance(n, int):
        return max(n, 0), None
    return (n, None) if sizes.holds(n, ">=", 0) else (0, None)
