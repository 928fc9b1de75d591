"""The multilayer perceptron, as a function of its parameters.

    model = MLP((784, 128, 10))          what never changes: hashable, so it may be a static argument
    params = model.init(seed=0)          what is learned: a list of {"w": f[in, out], "b": f[out]}
    logits = model(params, x)            x: f[..., 784], logits: f[..., 10]

Pytrees order a dict by its keys: the leaves of a layer are b, then w.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradgen.errors import ArgumentError, DTypeError
from gradgen.nn.activations import elu, find, gelu, leaky_relu, maxout, relu, silu
from gradgen.nn.initialisers import INITIALISERS, he, xavier

RECTIFIERS = (relu, leaky_relu, elu, gelu, silu)


@dataclass(frozen=True, repr=False)
class MLP:
    """Layers of x @ w + b, `activation` after each, `output` after the last.

    sizes: inputs, hidden layers, outputs. activation, output: a name of gg.nn or a function of an array.
    pieces: of a maxout layer, whose w is f[in, pieces * out]. initialiser: a name or a function (rng, shape, dtype);
    None takes `he` before rectifiers (relu, leaky_relu, elu, gelu, silu), else `xavier`. Biases start at 0.
    Raises ArgumentError (a ValueError) for sizes or names that make no network.
    """

    sizes: tuple[int, ...]
    activation: str | Callable = "relu"
    output: str | Callable = "identity"
    pieces: int = 2
    initialiser: str | Callable | None = None

    def __post_init__(self):
        object.__setattr__(self, "sizes", tuple(operator.index(size) for size in self.sizes))
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise ArgumentError(f"MLP: sizes must be two or more positive ints, got {self.sizes}")
        if self.pieces < 2:
            raise ArgumentError(f"MLP: a maxout unit needs two pieces or more, got {self.pieces}")
        if isinstance(self.initialiser, str) and self.initialiser not in INITIALISERS:
            raise ArgumentError(f"no initialiser {self.initialiser!r}", hint=f"one of {', '.join(INITIALISERS)}")
        find(self.activation), find(self.output)

    def init(self, seed: int | np.random.Generator = 0, dtype=np.float32) -> list[dict[str, np.ndarray]]:
        """First parameters, one {"w", "b"} per layer. A seed gives the same numbers in float32 and float64."""
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise DTypeError(f"MLP.init: parameters are float32 or float64, not {np.dtype(dtype)}")
        rng = np.random.default_rng(seed)
        shapes = zip(self.sizes[:-1], self.sizes[1:], strict=True)
        return [self._layer(rng, shape, f, dtype) for shape, f in zip(shapes, self._functions(), strict=True)]

    def __call__(self, params, x):
        """x: f[..., sizes[0]] to f[..., sizes[-1]]."""
        functions = self._functions()
        if len(params) != len(functions):
            raise ArgumentError(f"{self} has {len(functions)} layers, the parameters have {len(params)}")
        for layer, f in zip(params, functions, strict=True):
            z = x @ layer["w"] + layer["b"]
            x = maxout(z, self.pieces) if f is maxout else f(z)
        return x

    def __repr__(self) -> str:
        given = {name: getattr(self, name) for name in ("activation", "output", "pieces", "initialiser")}
        shown = [f"{k}={_name(v)}" for k, v in given.items() if k in ("activation", "output") or v != getattr(MLP, k)]
        return f"MLP({', '.join([str(self.sizes), *shown])})"

    def _functions(self) -> list[Callable]:
        """What follows each layer's sum."""
        return [find(self.activation)] * (len(self.sizes) - 2) + [find(self.output)]

    def _layer(self, rng, shape, f, dtype):
        chosen = self.initialiser or (he if f in RECTIFIERS else xavier)
        draw = INITIALISERS[chosen] if isinstance(chosen, str) else chosen
        # Each piece of a maxout unit is a linear layer of its own: drawn together, they would count as more outputs.
        pieces = [draw(rng, shape, dtype) for _ in range(self.pieces if f is maxout else 1)]
        w = np.concatenate(pieces, axis=1)
        return {"w": w, "b": np.zeros(w.shape[1], dtype)}


def _name(value) -> str:
    return value.__name__ if hasattr(value, "__name__") else repr(value)
