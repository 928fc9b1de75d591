"""All names of generated code: from the user's labels where there are some, numbered where there are none."""

from __future__ import annotations

import builtins
import keyword
import re
from collections import Counter

from gradgen.ops import REGISTRY
from gradgen.schedule.flow import Allocate, While
from gradgen.schedule.program import Assign, Buffer, CheckIndex, Local, Loop, Program
from gradgen.schedule.walks import bodies

MODULE = {"np", "math", "njit", "prange", "numba", "scipy", "f32", "f64", "i64", "OPTIONS", "work"}
# functions of gradgen.runtime that a text may call, and where they are; all others are in vecmath
PIECES = {"carve": "arrays", "grown": "arrays", "emptied": "arrays", "opaque": "arrays", "add_matmul": "blas"}
VECTORISABLE = {op.needs.format(bits=bits) for op in REGISTRY.values() if op.needs for bits in (8, 16, 32, 64)}
RESERVED = {*keyword.kwlist, *dir(builtins), *MODULE, *PIECES, *VECTORISABLE}
LOOPS = (*"ijkl", *(f"i{depth}" for depth in range(4, 40)))


class Names:
    """Python names for what a program holds; `taken` are the names that sizes and functions use."""

    def __init__(self, program: Program, taken=(), outputs: dict[Buffer, str] | None = None):
        """`outputs`: names that the results have already."""
        self._taken = RESERVED | set(taken)
        self._names: dict = {}
        self._count: Counter = Counter()
        self.inputs = [self._new(x, x.name) for x in program.inputs]
        self._loops = [self._unique(letter) for letter in LOOPS]
        self.outputs: dict[Buffer, str] = dict(outputs or {})
        self._names.update(self.outputs)
        self._taken |= {*self.outputs.values()}
        for place, result in enumerate(program.results if outputs is None else ()):
            if isinstance(result, Buffer) and result.storage.role == "output":
                self.outputs[result.storage] = self._new(result.storage, _label(result) or f"out{place}")
        for buffer in program.offsets:  # arrays before the numbers that are read from them
            self._new(buffer, _label(buffer) or _described(buffer))
        self._body(program.body, 0)

    def __getitem__(self, thing) -> str:
        """The name of a buffer, or of a local by its name in the program."""
        if isinstance(thing, Buffer) and thing not in self._names:
            self._new(thing, _label(thing) or _described(thing))
        return self._names[thing]

    def _new(self, thing, wish: str) -> str:
        name = self._unique(wish)
        self._names[thing if isinstance(thing, Buffer) else thing.name if isinstance(thing, Local) else thing] = name
        return name

    def _unique(self, wish: str) -> str:
        name = base = re.sub(r"\W", "_", wish)
        number = 2
        while name in self._taken:
            name, number = f"{base}_{number}", number + 1
        self._taken.add(name)
        return name

    def _body(self, body: list, depth: int) -> None:
        for s in body:
            if isinstance(s, Loop):
                self._names[s.var] = self._loops[depth]
            elif isinstance(s, While):
                self._names[s.var] = s.var  # a size, whose text it is
            elif isinstance(s, Assign) and s.name not in self._names:
                self._new(s.name, _label(s) or f"{s.name[0]}{self._number(s.name[0])}")
            elif isinstance(s, CheckIndex):
                self._new(s.name, f"row{self._number('row')}")
            elif isinstance(s, Allocate):
                self._new(s.buffer, _label(s.buffer) or _described(s.buffer))
            for inner in bodies(s):
                self._body(inner, depth + isinstance(s, Loop))

    def _number(self, prefix: str) -> int:
        self._count[prefix] += 1
        return self._count[prefix]


def _described(buffer: Buffer) -> str:
    """A name for memory that the user has none for: after what fills it."""
    return (
        buffer.node.op.name.strip("_") if buffer.node is not None and buffer.role in ("temp", "stack") else buffer.name
    )


def _label(thing) -> str | None:
    return thing.node.label if getattr(thing, "node", None) is not None else None
