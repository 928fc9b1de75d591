"""What an op is: one record that holds every fact about it.

The kinds, and what each states besides its name, its value on arrays (`eval`) and where it may be sampled:

    leaf         a value that is made from no other: input, constant, iota, size
    elementwise  partials (local gradients), emit (its line of code), masks (where it routes)
    reduction    combine (how two values become one), identity, and partials or transposes
    view         index (output index -> input index), transposes
    gather       an indexed read: like a view whose index is data
    scatter      an indexed write into zeros: index (input index -> output index), combine
    update       an indexed write into a copy of the first operand, in its memory where the old value is dead
    join         several arrays written side by side into one
    call         a library routine over whole arrays; with `onto`, its result is added to an operand
    control      sub-graphs: loops and branches; and `item`, one result of several

Rules are written in the language that is traced: given traced values they build nodes, given arrays they compute. In
rules `x, y, z` are operands, `out` is the result, `g` a cotangent of the result, `t` a tangent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from gradgen.errors import DTypeError
from gradgen.ir.types import SHORT, Type

LEAF, ELEMENTWISE, REDUCTION, VIEW = "leaf", "elementwise", "reduction", "view"
GATHER, SCATTER, UPDATE, JOIN, CALL, CONTROL = "gather", "scatter", "update", "join", "call", "control"
KINDS = (LEAF, ELEMENTWISE, REDUCTION, VIEW, GATHER, SCATTER, UPDATE, JOIN, CALL, CONTROL)

REGISTRY: dict[str, Op] = {}
BY_NUMPY: dict[Any, Op] = {}


@dataclass(frozen=True, eq=False)
class Op:
    """All facts of one op. Fields that do not belong to its kind stay None; those of type Any hold functions."""

    name: str
    kind: str
    eval: Callable[..., Any]
    infer: Callable[[tuple[Type, ...], dict], Any]
    loop: Any = None  # elementwise: operand dtypes -> dtypes to cast them to, and that of the result
    partials: Any = None  # elementwise, reduction: (out, *xs) -> local gradient of each operand
    masks: Any = None  # elementwise, reduction: (out, *xs) -> where each operand was taken (None: always)
    transposes: Any = ()  # linear ops: per operand (g, *xs, **attrs) -> cotangent; None where not linear
    onto: int | None = None  # call: place of the operand that it adds to, in its memory where that is dead; a factor
    # for the added follows; the operands before it are matrices
    counts: Any = ()  # call: per operand (mask, *xs) -> where it counts, if the result counts where the mask says
    emit: str | None = None  # elementwise: Python of one element; {x} {y} {z}, {zero} {one}, {bits} of the dtype
    integer_emit: str | None = None  # where ints need other code than floats
    single: str | None = None  # the same outside of loops, where nothing is vectorised and latency counts
    needs: str | None = None  # the vectorisable function that `emit` calls, e.g. "exp{bits}"
    combine: str | None = None  # reduction, scatter: Python that joins {acc} and {x}
    identity: Any = None  # reduction: dtype -> what an empty reduction gives
    index: Any = None  # view: (out index, operand type, attrs) -> operand index; scatter: the reverse
    weight: float = 1.0  # time of one element in units of one multiplication
    flops: int = 1  # arithmetic operations of one element
    sample: tuple = field(default=())  # per operand, where tests may evaluate it: (low, high)

    def __call__(self, *args, **attrs):
        """Apply to traced values (builds or records) or to arrays (computes)."""
        for x in args:
            if hasattr(x, "__gradgen_apply__"):
                return x.__gradgen_apply__(self, args, attrs)
        return self.eval(*args, **attrs)

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __str__(self) -> str:
        return self.name


def register(op: Op, numpy=None) -> Op:
    """Enter the record in the registry; `numpy`: the function(s) of NumPy that mean it."""
    assert op.name not in REGISTRY and op.kind in KINDS, op.name
    REGISTRY[op.name] = op
    for function in numpy if isinstance(numpy, tuple) else (numpy,):
        if function is not None:
            BY_NUMPY[function] = op
    return op


@lru_cache(maxsize=4096)
def resolve(ufunc: np.ufunc, dtypes: tuple) -> tuple[np.dtype, ...]:
    """The dtypes of the loop that NumPy would run: operands and result. Python scalars' types stand for themselves."""
    try:
        found = ufunc.resolve_dtypes((*dtypes, *(None,) * ufunc.nout))
    except TypeError:
        found = None
    if found is None or any(d.name not in SHORT for d in found):
        names = ", ".join(SHORT.get(getattr(d, "name", ""), getattr(d, "__name__", str(d))) for d in dtypes)
        raise DTypeError(
            f"{ufunc.__name__}: no loop over ({names}) that gradgen compiles",
            hint="convert with .astype(np.float64) or .astype(np.float32)",
        )
    return tuple(found)


def elementwise(
    name, numpy=None, partials=None, emit=None, *, eval=None, like=None, loop=None, masks=None, needs=None, single=None,
    integer_emit=None, weight=1.0, flops=1, sample=((-3.0, 3.0),),
) -> Op:  # fmt: skip
    """An op on equal shapes, element by element.

    dtypes are those of the ufunc `numpy`, or of the ufunc `like`; `loop` states them where no ufunc has them:
    operand dtypes -> dtypes to cast the operands to, and that of the result.
    """
    ufunc = like or (numpy[0] if isinstance(numpy, tuple) else numpy)
    loop = loop or (lambda dtypes: resolve(ufunc, dtypes))

    def infer(types: tuple[Type, ...], attrs: dict) -> Type:
        dtypes = tuple(t.dtype for t in types)
        *operands, result = loop(dtypes)
        assert tuple(operands) == dtypes, f"{name}: operands {dtypes} must be cast to {operands}"
        assert len({t.shape for t in types}) == 1, f"{name}: shapes {[t.shape for t in types]} must be broadcast"
        return Type(result, types[0].shape)

    record = Op(
        name, ELEMENTWISE, eval or ufunc, infer, partials=partials, masks=masks, emit=emit, needs=needs, single=single, loop=loop,
        integer_emit=integer_emit, weight=weight, flops=flops, sample=tuple(sample),
    )  # fmt: skip
    return register(record, numpy)
