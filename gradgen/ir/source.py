"""The user's line: where in whose file a node was made.

A frame belongs to the user if its file lies neither in gradgen nor in the libraries that call back into it.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

import numpy
import optree

_OURS = str(Path(__file__).resolve().parent.parent) + "/"
_LIBRARIES = tuple(str(Path(m.__file__).resolve().parent) + "/" for m in (numpy, optree))  # type: ignore[arg-type]
_COMPILER = tuple(str(Path(folder).resolve()) + "/" for spec in [find_spec("numba")] if spec is not None
                  for folder in spec.submodule_search_locations or ())  # fmt: skip
_PYTHON = str(Path(linecache.__file__).resolve().parent) + "/"
_PACKAGES = tuple(_PYTHON + folder for folder in ("site-packages/", "dist-packages/"))
_SKIPPED = (_OURS, *_LIBRARIES, *_COMPILER, "<frozen", "<__array_function__")
# Layers that users could have written themselves: their lines say more than the line that called them.
_SPEAKING = tuple(_OURS + folder + "/" for folder in ("nn", "optim"))


@dataclass(frozen=True, slots=True)
class Source:
    """One line of a user's file. `caller`: the user's own, where this is of a layer that they might have written."""

    file: str
    line: int
    caller: Source | None = field(default=None, compare=False)

    @property
    def text(self) -> str:
        return linecache.getline(self.file, self.line).strip()

    @property
    def short(self) -> str:
        return f"{Path(self.file).name}:{self.line}"

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def _is_users(file: str) -> bool:
    if file.startswith(_PYTHON) and not file.startswith(_PACKAGES):
        return False
    return not file.startswith(_SKIPPED) or file.startswith(_SPEAKING)


def users_line() -> Source | None:
    """The innermost frame of the stack that is the user's."""
    frame = _outwards(sys._getframe(1), _is_users)
    if frame is None:
        return None
    file, caller = frame.f_code.co_filename, None
    if file.startswith(_SPEAKING):
        outer = _outwards(frame, lambda file: _is_users(file) and not file.startswith(_SPEAKING))
        caller = Source(outer.f_code.co_filename, outer.f_lineno) if outer is not None else None
    return Source(file, frame.f_lineno, caller)


def callers_line() -> Source | None:
    """The user's own line, for what such a layer itself refuses."""
    found = users_line()
    return found.caller or found if found is not None else None


def _outwards(frame: FrameType | None, wanted: Callable[[str], bool]) -> FrameType | None:
    while frame is not None and not wanted(frame.f_code.co_filename):
        frame = frame.f_back
    return frame
