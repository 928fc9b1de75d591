"""Random NumPy programs as text: what Hypothesis draws, NumPy, gradgen, its tape and JAX all run.

    def f(x0, x1):
        v0 = np.sum(x0, axis=-1, keepdims=True)
        v1 = np.where(x1 > v0, x1, v0 * 0.5)
        return (v1,)

A program grows line by line on real arrays, so that every line fits; values stay bounded and away from poles.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

import numpy as np

UNARY = """
np.tanh({a}); np.sin({a}); np.cos({a}); np.exp(-{a} * {a}); np.sqrt(1 + {a} * {a}); np.log1p({a} * {a})
np.abs({a}); -{a}; {a} * 0.5; 1 / (1 + {a} * {a}); np.square(np.tanh({a})); np.tanh({a})**3; np.arctan({a}); 1 - {a}
np.expm1(np.tanh({a}))
np.sign({a}) * {a}; np.clip({a}, -0.7, 0.6); np.where({a} > 0.1, {a}, 0); np.where({a} > 0, np.log({a}), {a})
np.floor({a} * 3) * {a}; np.tanh({a})**2
"""
BINARY = """
{a} + {b}; {a} - {b}; {a} * {b}; np.maximum({a}, {b}); np.minimum({a}, {b}); np.where({a} > {b}, {a}, {b} * 0.5)
{a} / (1 + {b} * {b}); np.arctan2({a}, 1 + {b} * {b}); np.hypot({a}, 1.5 + {b} * {b}); np.where({a} > 0, {a} * {b}, 0)
"""
SLICES = (":", "1:", ":-1", "::2", "::-1", "-1:", ":2", "1::2", "::-2", "-2::-1")
REDUCTIONS = ("np.sum({a}, {how})", "np.mean({a}, {how})", "np.max({a}, {how})", "np.min({a}, {how})",
              "np.prod(np.tanh({a}), {how})", "np.sqrt(1 + np.var({a}, {how}))")  # fmt: skip
LARGEST = 200  # elements of a value
Choose = Callable[[list], object]


def _lines(text: str) -> list[str]:
    return [part.strip() for line in text.strip().splitlines() for part in line.split(";")]


class Writer:
    """Grows one program. `choose(list)`: an element of it, drawn by Hypothesis."""

    def __init__(self, choose: Choose, shapes: list[tuple]):
        self.choose, self.lines = choose, []
        rng = np.random.default_rng(choose(list(range(100))))
        self.args = {f"x{k}": rng.uniform(-1.5, 1.5, s) for k, s in enumerate(shapes)}
        self.values = dict(self.args)

    def add(self, text: str) -> None:
        with np.errstate(all="ignore"):
            value = eval(text, {"np": np}, self.values)
        if np.size(value) <= LARGEST and np.ndim(value) <= 4 and np.all(np.abs(value) < 50):
            self.values[f"v{len(self.lines)}"] = value
            self.lines.append(f"v{len(self.lines)} = {text}")

    def pick(self, fits=lambda value: True):
        names = [n for n, v in self.values.items() if fits(v)]
        return self.choose(names[-6:]) if names else None

    def partner(self, combine, of):
        def fits(value):
            try:
                combine(of, value)
            except ValueError:
                return False
            return True

        return self.pick(fits)

    def unary(self):
        self.add(self.choose(_lines(UNARY)).format(a=self.pick()))

    def binary(self):
        a = self.pick()
        b = self.partner(np.broadcast, self.values[a])
        self.add(self.choose(_lines(BINARY)).format(a=a, b=b))

    def reduction(self, a, value):
        axes = [None, *range(-value.ndim, value.ndim), tuple(range(value.ndim))]
        how = f"axis={self.choose(axes)}, keepdims={self.choose([False, True])}"
        self.add((self.choose(REDUCTIONS) if value.size else REDUCTIONS[0]).format(a=a, how=how))

    def slicing(self, a, value):
        self.add(f"{a}[{', '.join(self.choose(SLICES) for _ in value.shape)}]")

    def index(self, a, value):
        axis = self.choose(range(value.ndim))
        if value.shape[axis]:
            self.add(f"{a}[{', '.join([':'] * axis + [self.choose(['0', '-1'])])}]")

    def view(self, a, value):
        n = value.ndim
        forms = [f"{a}.T", f"{a}.ravel()", f"{a}[..., None]", f"{a}[None]", f"np.flip({a}, {self.choose(range(n))})",
                 f"np.swapaxes({a}, 0, -1)", f"np.squeeze({a})", f"np.reshape({a}, (1, {value.size}))",
                 f"np.broadcast_to({a}, {(2, *value.shape)})",
                 f"np.broadcast_to({a}, {tuple(3 if m == 1 else m for m in value.shape)})"]  # fmt: skip
        forms += [f"np.reshape({a}, ({d}, {value.size // d}))" for d in (2, 3) if value.size and value.size % d == 0]
        self.add(self.choose(forms))

    def product(self, a, value):
        b = self.partner(np.matmul, value)
        self.add(f"{a} @ {b}" if b else f"np.tanh({a} @ np.swapaxes({a}, -1, -2))" if value.ndim > 1 else f"{a} @ {a}")

    def join(self, a, value):
        axis = self.choose(range(value.ndim))
        b = self.partner(lambda x, y: np.concatenate([x, y], axis), value)
        self.add(f"np.concatenate([{a}, {b}], axis={axis})")
        if self.values[b].shape == value.shape:
            self.add(f"np.stack([{a}, {b}], axis={axis})")

    def take(self, a, value):
        axis = self.choose(range(value.ndim))
        if n := value.shape[axis]:
            index = [self.choose(range(-n, n)) for _ in range(self.choose([1, 3]))]
            self.add(f"np.take({a}, np.array({index}), axis={axis})")


ARRAY_STEPS = (Writer.reduction, Writer.reduction, Writer.slicing, Writer.index, Writer.view, Writer.view,
               Writer.product, Writer.product, Writer.join, Writer.take)  # fmt: skip
STEPS = (*itertools.repeat(None, 6), *ARRAY_STEPS)


def program(choose: Choose, length: int) -> tuple[str, list[np.ndarray]]:
    """The text of f and of a scalar `loss` made from it, and arguments."""
    dims = [choose([1, 2, 3, 4, 0]) for _ in range(3)]
    shapes = [tuple(dims[3 - choose([0, 1, 2, 2, 3]) :]) if dims else () for _ in range(choose([1, 2]))]
    writer = Writer(choose, shapes)
    for _ in range(length):
        step = choose(STEPS)
        a = writer.pick(lambda value: np.ndim(value) > 0)
        if step is None or a is None:
            choose([writer.unary, writer.binary])()
        else:
            step(writer, a, writer.values[a])
    return text_of(writer), list(writer.args.values())


def text_of(writer: Writer) -> str:
    body = "".join(f"    {line}\n" for line in writer.lines)
    used = " ".join(line.split("=", 1)[1] for line in writer.lines)
    last = [n for n in writer.values if n not in writer.args and not re.search(rf"\b{n}\b", used)] or [*writer.args]
    names = ", ".join(writer.args)
    terms = " + ".join(f"np.sum(np.sin(outs[{k}] + {k + 0.3}))" for k in range(len(last)))
    return (
        f"def f({names}):\n{body}    return ({', '.join(last)},)\n\n"
        f"def loss({names}):\n    outs = f({names})\n    return {terms}\n"
    )


def load(text: str, numpy=np) -> tuple[Callable, Callable]:
    """f and loss; `numpy`: the module that the program computes with."""
    space = {"np": numpy}
    exec(text, space)
    return space["f"], space["loss"]
