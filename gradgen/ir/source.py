"""The user's line: where in whose file a node was made.

A frame belongs to the user if its file lies neither in gradgen nor in the libraries that call back into it.
"""

from __future__ import annotations

import linecache
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy
import optree

_OURS = str(Path(__file__).resolve().parent.parent) + "/"
_LIBRARIES = tuple(str(Path(m.__file__).resolve().parent) + "/" for m in (numpy, optree))  # type: ignore[arg-type]
_PYTHON = str(Path(linecache.__file__).resolve().parent) + "/"
_PACKAGES = tuple(_PYTHON + folder for folder in ("site-packages/", "dist-packages/"))
_SKIPPED = (_OURS, *_LIBRARIES, "<frozen", "<__array_function__")
# Layers that users could have written themselves: their lines say more than the line that called them.
_SPEAKING = tuple(_OURS + folder + "/" for folder in ("nn", "optim"))


@dataclass(frozen=True, slots=True)
class Source:
    """One line of a user's file."""

    file: str
    line: int

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
    frame = sys._getframe(1)
    while frame is not None:
        if _is_users(frame.f_code.co_filename):
            return Source(frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back  # type: ignore[assignment]
    return None
