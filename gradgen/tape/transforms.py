"""grad, value_and_grad and vjp, run eagerly: open a tape, call the function on boxes, sweep back."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from gradgen.errors import ArgumentError, DifferentiationError, DTypeError, ShapeError
from gradgen.ir.types import SHORT
from gradgen.ops.leaves import astype
from gradgen.tape.box import FLOATS, Box, is_on, source
from gradgen.tape.gates import Gate
from gradgen.tape.sweep import sweep
from gradgen.tape.tapes import Tape
from gradgen.trace.arguments import name_of, parameter_names, place, resolve_argnums
from gradgen.trace.pytree import flatten, unflatten


def grad(f: Callable | None = None, argnums=0, has_aux: bool = False):
    """The gradient of a scalar function: same arguments, a tree like those of `argnums` (f32, f64; any shapes).

    argnums: an int, a parameter's name, or a tuple of them, which gives a tuple. has_aux: f returns (value, aux), and
    the gradient comes as (gradient, aux). Without f it is a decorator. Raises ArgumentError for wrong argnums,
    DifferentiationError for integer arguments and for outputs that are not a scalar.

        grad(lambda x: np.sum(x * x))(np.array([1.0, 2.0]))       # array([2., 4.])

    Source: Speelpenning 1980; Griewank & Walther 2008, section 3.2. Memory grows with the number of operations.
    """
    if f is None:
        return functools.partial(grad, argnums=argnums, has_aux=has_aux)
    both = value_and_grad(f, argnums, has_aux)

    @functools.wraps(f)
    def gradient(*args, **kwargs):
        out, grads = both(*args, **kwargs)
        return (grads, out[1]) if has_aux else grads

    return gradient


def value_and_grad(f: Callable | None = None, argnums=0, has_aux: bool = False):
    """Like `grad`, giving (value, gradient), or ((value, aux), gradient) where has_aux."""
    if f is None:
        return functools.partial(value_and_grad, argnums=argnums, has_aux=has_aux)
    positions, single = resolve_argnums(f, argnums)

    @functools.wraps(f)
    def transformed(*args, **kwargs):
        args, kwargs = place(f, positions, args, kwargs)
        with Tape() as tape:
            boxes, trees = enter(tape, f, args, positions)
            out = f(*boxes, **kwargs)
        out, aux = _split_aux(f, out) if has_aux else (out, None)
        value, gate = leave_scalar(tape, f, out)
        seeds = [] if gate is None else [(gate, value.dtype.type(1))]
        grads = collect(trees, sweep(tape.gates, seeds, sum(len(boxes) for _, boxes in trees)))
        return (value, _leave_tree(tape, aux)) if has_aux else value, grads[0] if single else grads

    return transformed


def vjp(f: Callable, *args):
    """(out, pullback): f(*args), and the function from a cotangent, a tree like `out`, to the tuple of the arguments'.

    Pullbacks may be called again. Raises ShapeError for a cotangent whose tree or shapes are not those of `out`.
    """
    with Tape() as tape:
        boxes, trees = enter(tape, f, args, range(len(args)))
        leaves, structure = flatten(f(*boxes))
    gates = [x.gate if is_on(tape, x) else None for x in leaves]
    values = [_left(tape, x) for x in leaves]

    def pullback(cotangent):
        cotangents, given = flatten(cotangent)
        have, want = [np.shape(g) for g in cotangents], [np.shape(v) for v in values]
        if given != structure or have != want:
            raise ShapeError(f"the cotangent of {name_of(f)} is not like its output: {given} of shapes {have}",
                             hint=f"it should be {structure} of shapes {want}")  # fmt: skip
        pairs = zip(gates, cotangents, values, strict=True)
        seeds = [(gate, _cotangent(g, v)) for gate, g, v in pairs if gate is not None]
        return collect(trees, sweep(tape.gates, seeds, sum(len(boxes) for _, boxes in trees)))

    return unflatten(structure, values), pullback


def _cotangent(g, value):
    # A copy: an identity gives it back as it is.
    return astype(g, dtype=value.dtype) if isinstance(g, Box) else np.array(g, value.dtype)


def enter(tape: Tape, f: Callable, args, positions) -> tuple[list, list]:
    """The arguments with a box for every leaf at `positions`; per position its structure and boxes."""
    args, trees = list(args), []
    for p in positions:
        leaves, structure = flatten(args[p])
        boxes = [source(tape, *_checked(x, f, p, len(args))) for x in leaves]
        args[p] = unflatten(structure, boxes)
        trees.append((structure, boxes))
    return args, trees


def _checked(x, f: Callable, position: int, count: int):
    """(the value of a leaf, whether it is a Python number)."""
    if x.__class__ is Box:
        return x, x.weak
    if x.__class__ is float:
        return np.float64(x), True
    value = x if isinstance(x, np.generic) else np.asarray(x)
    if not value.dtype.isnative:
        value = value.astype(value.dtype.newbyteorder("="))
    if value.dtype in FLOATS:
        return value, False
    what = f"argument {parameter_names(f, count)[position]} of {name_of(f)}"
    if value.dtype.name in SHORT:
        given = f"{SHORT[value.dtype.name]}{list(value.shape) or ''}"
        raise DifferentiationError(f"{what} is {given}: derivatives exist with respect to floats",
                                   hint="pass 3.0 for 3, and x.astype(np.float64) for an array")  # fmt: skip
    raise DTypeError(f"{what} has dtype {value.dtype} ({type(x).__name__})",
                     hint="derivatives are taken with respect to float32 and float64")  # fmt: skip


def _split_aux(f: Callable, out):
    if not isinstance(out, tuple) or len(out) != 2:
        raise ArgumentError(f"has_aux: {name_of(f)} returned {type(out).__name__}, not the pair (value, aux)")
    return out


def leave_scalar(tape: Tape, f: Callable, out) -> tuple[np.floating | Box, Gate | None]:
    """The output as a scalar without its box, and its gate. Raises DifferentiationError where it is none."""
    gate, value = (out.gate, out.value) if is_on(tape, out) else (None, out)
    if value.__class__ is float:
        value = np.float64(value)
    dtype, shape = getattr(value, "dtype", None), getattr(value, "shape", None)
    if dtype is None or shape is None:
        raise DifferentiationError(f"grad: {name_of(f)} returned {type(value).__name__}, not a scalar",
                                   hint="return one number; has_aux=True takes (value, aux)")  # fmt: skip
    if shape == () and dtype in FLOATS:
        return (value if value.__class__ is Box else value[()]), gate
    given = f"{SHORT.get(dtype.name, dtype)}{list(shape) or ''}".replace(" ", "")
    if shape != ():
        raise DifferentiationError(f"grad: {name_of(f)} returned {given}, not a scalar",
                                   hint="np.sum or np.mean of it is a scalar; vjp differentiates arrays")  # fmt: skip
    raise DifferentiationError(f"grad: {name_of(f)} returned {given}: only floats have derivatives",
                               hint="return a float; casts to integers have no derivative")  # fmt: skip


def _left(tape: Tape, x):
    """A result without its box, sharing memory with nothing."""
    value = x.value if is_on(tape, x) else x
    return np.array(value)[()] if isinstance(value, (np.ndarray, float)) else value


def _leave_tree(tape: Tape, tree):
    leaves, structure = flatten(tree)
    return unflatten(structure, [_left(tape, x) for x in leaves])


def collect(trees: list, found: list) -> tuple:
    """Gradients as trees like the arguments: zeros where nothing flowed, and no two results in one memory."""
    gradients, results = iter(found), []
    seen: set[int] = set()
    for structure, boxes in trees:
        results.append(unflatten(structure, [_own(box, next(gradients), seen) for box in boxes]))
    return tuple(results)


def _own(box: Box, g, seen: set):
    if g is None:
        return np.zeros(box.shape, box.dtype)[()]
    if g.__class__ is not np.ndarray:
        return g
    if g.ndim == 0:
        return g[()]
    if g.base is not None or not g.flags.writeable or id(g) in seen:
        g = g.copy()
    seen.add(id(g))
    return g
