"""The other kinds of ops: reductions, views, joins, gathers and products, as groups of cases."""

from __future__ import annotations

import numpy as np

from tests.ops.cases import add

AXES = {"all": None, "first": 0, "last": -1, "outer": (0, 2), "negative": (-1, -2)}
DTYPES = {"float64": np.float64, "float32": np.float32, "int64": np.int64, "int8": np.int8, "bool": np.bool_}


def _array(shape, dtype, seed=0):
    values = np.random.default_rng(seed).uniform(-2, 2, shape)
    return (values > 0) if dtype is np.bool_ else values.astype(dtype)


def _reductions() -> None:
    for word, dtype in DTYPES.items():
        floats = np.dtype(dtype).kind == "f"
        x = _array((2, 3, 4), dtype)
        for place, axis in AXES.items():
            for kept in (False, True):
                group = f"{word}-reduce-{place}{'-kept' if kept else ''}"
                both = {"axis": axis, "keepdims": kept}
                smooth = {f: (lambda x, f=f, b=both: getattr(np, f)(x, **b)) for f in ("sum", "prod", "mean", "max", "min", "var")}
                add(group, {"x": x}, smooth, ("x",), floats)
                flags = {f: (lambda x, f=f, b=both: getattr(np, f)(x, **b)) for f in ("any", "all")}
                if not isinstance(axis, tuple):
                    flags |= {f: (lambda x, f=f, b=both: getattr(np, f)(x, **b)) for f in ("argmax", "argmin")}
                add(group, {}, flags, ("x",), False)


VIEWS = {
    "transpose": lambda x: x.T,
    "permuted": lambda x: np.transpose(x, (1, 2, 0)),
    "swapped": lambda x: np.swapaxes(x, 0, -1),
    "moved": lambda x: np.moveaxis(x, (0, 1), (-1, 0)),
    "flat": lambda x: x.ravel(),
    "reshaped": lambda x: x.reshape(4, -1),
    "mixed": lambda x: np.reshape(x.T, (3, 8)),
    "unit axes": lambda x: x[:, None, :, None],
    "expanded": lambda x: np.expand_dims(x, (0, -1)),
    "squeezed": lambda x: np.squeeze(x[:1, :, 2:3]),
    "broadcast": lambda x: np.broadcast_to(x[:, :1], (5, 2, 3, 4)),
    "sliced": lambda x: x[:, 1:, ::2],
    "backwards": lambda x: x[::-1, ::-2, -2::-1],
    "int index": lambda x: x[1, :, -1],
    "ellipsis": lambda x: x[..., 1],
    "nothing": lambda x: x[:, 2:1],
    "flipped": lambda x: np.flip(x, (0, 2)),
    "differences": lambda x: np.diff(x, axis=1),
    "cast": lambda x: x.astype(np.float32) * 1.5,
    "copied": lambda x: x.copy(),
}
JOINS = {
    "concatenated": lambda x, y: np.concatenate([x, y, x[:1]], axis=0),
    "along the last axis": lambda x, y: np.concatenate([x, y[:, :, :1]], axis=-1),
    "stacked": lambda x, y: np.stack([x, y], axis=1),
    "stacked last": lambda x, y: np.stack([x, y], axis=-1),
    "vertical": lambda x, y: np.vstack([x[0], y[1]]),
    "horizontal": lambda x, y: np.hstack([x[0], y[1]]),
    "with a constant": lambda x, y: np.concatenate([x * y, np.ones((2, 3, 2), np.float32)], axis=2),
    "with nothing": lambda x, y: np.concatenate([x[:0], y], axis=0),
    "flattened": lambda x, y: np.concatenate([x, y], axis=None),
}
ROWS = np.array([1, 0, -1, 1])
GATHERS = {
    "rows": lambda x, i: x[ROWS],
    "columns": lambda x, i: np.take(x, [0, 2, 2, -1], axis=2),
    "matrix of indices": lambda x, i: x[:, np.array([[0, 1], [2, -3]])],
    "pairs": lambda x, i: x[ROWS, np.array([2, 1, 0, -1])],
    "broadcast pairs": lambda x, i: x[ROWS[:, None], np.array([2, 0])],
    "apart": lambda x, i: x[ROWS, :, np.array([3, 2, 1, -4])],
    "int and array": lambda x, i: x[0, :, ROWS],
    "array and int": lambda x, i: x[ROWS, 1],
    "mask": lambda x, i: x[:, np.array([True, False, True])],
    "traced": lambda x, i: x[i],
    "traced twice": lambda x, i: x[i, i - 1],
    "none": lambda x, i: x[np.zeros(0, int)],
    "flat": lambda x, i: np.take(x, [5, -1, 5]),
}
PRODUCTS = {
    "matrices": (lambda a, b: a @ b, (3, 4), (4, 2)),
    "matrix and vector": (lambda a, b: a @ b, (3, 4), (4,)),
    "vector and matrix": (lambda a, b: a @ b, (3,), (3, 4)),
    "vectors": (lambda a, b: a @ b, (4,), (4,)),
    "batches": (lambda a, b: a @ b, (2, 3, 4), (2, 4, 2)),
    "one matrix for a batch": (lambda a, b: a @ b, (2, 3, 4), (4, 2)),
    "broadcast batches": (lambda a, b: a @ b, (2, 1, 3, 4), (3, 4, 2)),
    "transposed": (lambda a, b: a.T @ b.T, (4, 3), (2, 4)),
    "of nothing": (lambda a, b: a @ b, (3, 0), (0, 2)),
    "single": (lambda a, b: a @ b, (1, 1), (1, 1)),
    "row and column": (lambda a, b: a @ b, (1, 4), (4, 1)),
    "broadcast row": (lambda a, b: a @ np.broadcast_to(b, (4, 2)), (3, 4), (2,)),
    "dot": (lambda a, b: np.dot(a, b), (2, 3, 4), (5, 4, 2)),
    "inner": (lambda a, b: np.inner(a, b), (2, 4), (3, 4)),
    "outer": (lambda a, b: np.outer(a, b), (2, 2), (3,)),
    "squares": (lambda a, b: a @ a.T + b @ b.T, (3, 4), (3, 2)),
}


def _others() -> None:
    for word in ("float64", "float32", "int64"):
        dtype, floats = DTYPES[word], word != "int64"
        x, y = _array((2, 3, 4), dtype), _array((2, 3, 4), dtype, 1)
        add(f"{word}-views", {"x": x}, VIEWS, ("x",), floats)
        add(f"{word}-joins", {"x": x, "y": y}, JOINS, ("x", "y"), floats)
        add(f"{word}-gathers", {"x": x, "i": np.array([1, -2, 0])}, GATHERS, ("x", "i"), floats)
        for place, (name, (function, left, right)) in enumerate(PRODUCTS.items()):
            arrays = {f"a{place}": _array(left, dtype), f"b{place}": _array(right, dtype, 2)}
            part = f"{word}-products-{place // 8}"
            add(part, arrays, {name: function}, (f"a{place}", f"b{place}"), floats)


_reductions()
_others()
