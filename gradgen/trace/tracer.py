"""The tracer: a node of a graph under construction, that behaves like the NumPy value it stands for."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from gradgen.errors import DTypeError, GradgenError, MutationError, TraceError
from gradgen.ir import sizes
from gradgen.ir.graph import Builder, Constant, Graph, Node
from gradgen.ir.source import users_line
from gradgen.ir.types import Type
from gradgen.ops import leaves
from gradgen.ops.record import VIEW
from gradgen.trace import promotion
from gradgen.trace.active import active, held
from gradgen.trace.protocol import Traced
from gradgen.trace.usersize import UserSize


class Tracer(Traced):
    """A traced value. Its shape holds ints, and `UserSize` where a size is a symbol."""

    __slots__ = ("_base", "_node", "_owed", "_seen", "builder", "own", "scope", "version", "weak")

    def __init__(self, builder: Builder, node: Node, weak: bool = False, base: Tracer | None = None):
        """`base`: the array that this is a view of; it is stale once that was written to."""
        self.builder, self._node, self.weak = builder, node, weak
        self.scope, self.version = active.scopes[-1], 0
        self.own = True  # whether it may be assigned into: no argument
        self._owed: Tracer | None = None  # what a view of it became in place, and a[k] += v is about to write here
        self._base, self._seen = base, 0 if base is None else base.version

    @property
    def node(self) -> Node:
        if self._owed is not None:
            raise MutationError("an array whose view was changed in place", where=users_line(), hint="write a[k] += v")
        if self._base is not None and self._base.version != self._seen:
            raise MutationError(f"a view of type {self._node.type} of an array that was written to since",
                                where=users_line(), hint="take it after the assignment")  # fmt: skip
        return self._node

    @property
    def type(self) -> Type:  # type: ignore[override]
        return self._node.type

    def __setitem__(self, key, value):
        view, far = self._base is not None, self.scope is not active.scopes[-1]
        if not self.own or view or far:
            what = "an argument" if not self.own else "a view" if view else "from outside of the body"
            raise MutationError(f"assignment into a traced array of type {self.type}: {what}", where=users_line(),
                                hint="a = a.copy() first, make it a carry, or a = a.at[i].set(v)")  # fmt: skip
        self._owed = None if value is self._owed else self._owed
        self._node = self.at[key].set(value).node  # type: ignore[attr-defined]
        self.version += 1

    def _in_place(self, ufunc, other):
        """a += b: an array is written to, as in NumPy, so that its other names see it."""
        found = NotImplemented if self.type.shape == () else promotion.operator(ufunc, self, other)
        if found is NotImplemented:
            return found
        if found.dtype != self.dtype or found.type.shape != self.type.shape:
            raise DTypeError(f"{ufunc.__name__} in place: {self.type} would become {found.type}", where=users_line(),
                             hint="write it out: a = a + b")  # fmt: skip
        if self._base is not None:
            self._base._owed = found
            return found
        self[...] = found
        return self

    @property
    def shape(self) -> tuple:
        return tuple(UserSize(n, self) if isinstance(n, sizes.Dim) else n for n in self._node.type.shape)

    @property
    def size(self):
        n = self._node.type.size
        return UserSize(n, self) if isinstance(n, sizes.Dim) else n

    def __gradgen_apply__(self, op, args, attrs):
        nodes = [
            x.of(self.builder).node if isinstance(x, Tracer) else self.__gradgen_lift__(np.asarray(x)).node
            for x in args
        ]
        attrs = {k: _plain(v) for k, v in attrs.items()}
        if active.frozen and self.builder.origin is None:
            nodes = [held(self.builder, n) for n in nodes]
        base = args[0] if op.kind == VIEW and isinstance(args[0], Tracer) and args[0].type.shape else None
        base = base if base is None or base._base is None else base._base
        source = self.builder.origin or users_line()
        if op.loop is not None:  # an op called by itself, not as a function of NumPy, promotes here
            wanted = op.loop(tuple(n.dtype for n in nodes))
            cast = zip(nodes, wanted, strict=False)
            nodes = [
                n if n.dtype == d else self.builder.add(leaves.astype, (n,), {"dtype": d}, source) for n, d in cast
            ]
        made = self.builder.add(op, nodes, attrs, source)
        return type(self)(self.builder, made, base=base if made.type.shape else None)  # an element is a copy

    def of(self, builder: Builder) -> Tracer:
        """Itself, if it belongs to the trace of `builder`. Elsewhere its number means another value, or none."""
        if self.builder is not builder:
            raise TraceError(f"a value of type {self.type} from another trace", where=users_line(),
                             hint="return it from the traced function instead of keeping it outside")  # fmt: skip
        if self.scope not in active.scopes:
            raise TraceError(f"a value of type {self.type} from the body of a loop or a branch, used outside of it",
                             where=users_line(), hint="return it from the body: in the carry or in ys")  # fmt: skip
        return self

    def __gradgen_lift__(self, value):
        return type(self)(self.builder, constant(self.builder, value))

    def __gradgen_copy__(self):
        return type(self)(self.builder, self.node, self.weak)

    def __gradgen_count__(self, n):
        """A size as a number to compute with: a plain one, or a traced one of this dtype or wider."""
        if not isinstance(n, sizes.Dim):
            return n
        value: Any = type(self)(self.builder, self.builder.add(leaves.size, (), {"size": n}, users_line()))
        return value.astype(self.dtype)

    def __gradgen_iota__(self, n):
        """0, 1, ..., n - 1 in this dtype."""
        attrs = {"shape": (n,), "axis": 0, "dtype": self.dtype}
        return type(self)(self.builder, self.builder.add(leaves.iota, (), attrs, self.builder.origin))

    def __repr__(self) -> str:
        return f"<traced {self.type}>"


for _name, _ufunc in {"add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide}.items():
    setattr(Tracer, f"__i{_name}__", lambda self, other, _ufunc=_ufunc: self._in_place(_ufunc, other))


class RuleTracer(Tracer):
    """A tracer inside a derivative rule: sizes are plain Dims, compared by structure; it is never written to."""

    __slots__ = ()
    _in_place = staticmethod(lambda *_: NotImplemented)

    @property
    def shape(self) -> tuple:
        return self._node.type.shape

    @property
    def size(self):
        return self._node.type.size


def constant(builder: Builder, value: np.ndarray) -> Node:
    value = np.asarray(value)
    data = value[()].item() if value.ndim == 0 else Constant(value)
    return builder.add(leaves.constant, (), {"value": data, "dtype": value.dtype}, None)


def _plain(value):
    if isinstance(value, tuple):
        return tuple(_plain(v) for v in value)
    return value.__gradgen_dim__ if isinstance(value, UserSize) else value


_counting = threading.Lock()
traces_under_way = 0  # in all threads: 0 spares a call the look at its own


def fresh_input(builder: Builder, type: Type, weak: bool = False) -> Tracer:
    found = Tracer(builder, leaves.fresh(builder, type), weak)
    found.own = False
    return found


def trace(function, types, weak, name: str, input_names=()) -> Graph:
    """The graph of `function(tracers) -> tracers` (flat lists) over inputs of these types."""
    global traces_under_way
    builder = Builder()
    active.builders.append(builder)
    with _counting:
        traces_under_way += 1
    try:
        inputs = [fresh_input(builder, t, w) for t, w in zip(types, weak, strict=True)]
        outputs = [lift_output(builder, x) for x in function(inputs)]
    except ValueError as error:
        # NumPy puts "setting an array element with a sequence" over what we said of an assignment.
        if not isinstance(error, GradgenError) and isinstance(error.__cause__, GradgenError):
            raise error.__cause__ from None
        raise
    finally:
        with _counting:
            traces_under_way -= 1
        active.builders.pop()
    return Graph(tuple(x.node for x in inputs), tuple(x.node for x in outputs), name, tuple(input_names))


def lifted(builder: Builder, leaf) -> Any:
    """A leaf as a tracer of this trace; Python scalars stay weak."""
    out = lift_output(builder, leaf)
    if out is not leaf and isinstance(leaf, (bool, int, float)) and not isinstance(leaf, np.generic):
        out.weak = True
    return out


def lift_output(builder: Builder, x) -> Tracer:
    """A result of the user's function: a tracer of this trace, or a constant."""
    if isinstance(x, Tracer):
        return Tracer(builder, held(builder, x.of(builder).node), x.weak) if active.frozen else x.of(builder)
    if isinstance(x, UserSize):
        return x.__gradgen_size__()
    return Tracer(builder, constant(builder, promotion.array_of(x)))
