"""The type of a value: dtype and shape."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from gradgen.ir.sizes import Dim, Size, product, symbol

SHORT = {
    "bool": "bool", "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64",
    "uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64", "float32": "f32", "float64": "f64",
}  # fmt: skip
LONG = {short: np.dtype(name) for name, short in SHORT.items()}


@dataclass(frozen=True, slots=True)
class Type:
    """dtype and shape of a value."""

    dtype: np.dtype
    shape: tuple[Size, ...] = ()

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> Size:
        return product(self.shape)

    @property
    def is_float(self) -> bool:
        return self.dtype.kind == "f"

    @property
    def nbytes(self) -> Size:
        return self.size * self.dtype.itemsize

    def with_shape(self, shape) -> Type:
        return Type(self.dtype, tuple(shape))

    def __str__(self) -> str:
        return f"{SHORT[self.dtype.name]}[{','.join(str(s).replace(' ', '') for s in self.shape)}]"


_TYPE = re.compile(r"^\s*([a-z]+\d*)(?:\[(.*)\])?\s*$")


def parse_type(text: str, symbols: dict[str, Dim] | None = None) -> Type:
    """The inverse of str: "f64[n,4]". A scalar may leave its brackets out. Raises ValueError."""
    match = _TYPE.match(text)
    if match is None or match[1] not in LONG:
        raise ValueError(f"not a type: {text!r} (examples: f64, f32[n], f64[n,4]; dtypes {', '.join(LONG)})")
    names = {} if symbols is None else symbols
    sizes = [parse_size(part, names) for part in (match[2] or "").split(",") if part.strip()]
    return Type(LONG[match[1]], tuple(sizes))


def parse_size(text: str, symbols: dict[str, Dim]) -> Size:
    """A size from its text: a number, or arithmetic over names."""
    for name in re.findall(r"[A-Za-z_]\w*", text):
        symbols.setdefault(name, symbol(name))
    if not re.fullmatch(r"[\w\s+*/()-]+", text):
        raise ValueError(f"not a size: {text!r}")
    return eval(text, {"__builtins__": {}}, dict(symbols))
