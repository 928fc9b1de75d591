"""Runs the Python of the documentation, and writes what it prints below it.

    python docs/refresh.py              run every page, rewrite what is shown
    python docs/refresh.py README.md    the same for one page

A page's ```python blocks run in order, as one module. A ```text block right after one shows what it prints; a comment
between the two changes that:

    <!-- parts: 0 2 -->       shows only these parts of the output, which two blank lines separate; ... for the others
    <!-- raises -->           before a ```python block: it ends in an exception, whose class and message are printed

tests/docs/test_code_blocks.py runs the same and compares: numbers loosely, hashes of generated names not at all.
"""

from __future__ import annotations

import contextlib
import io
import linecache
import re
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gradgen.ops import BY_NUMPY, REGISTRY

ROOT = Path(__file__).resolve().parent.parent
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SHOWN = re.compile(r"\n+(?:<!-- parts: ([\d ]+) -->\n+)?```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_RAISES = "<!-- raises -->\n"
_HASH = re.compile(r"_[0-9a-f]{10}(?![0-9a-z])")
_NUMBER = re.compile(r"(?<![\w.%])-?\d+(?:\.\d*)?(?:e[-+]?\d+)?(?![\w])")


@dataclass
class Block:
    """One ```python block: its code, whether it is to raise, and the output shown below it (None: none)."""

    code: str
    raises: bool
    parts: list[int] | None
    shown: str | None
    span: tuple[int, int]  # of the shown text in the page


def pages() -> list[Path]:
    """Every page whose code runs."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(text: str) -> list[Block]:
    found = []
    for match in _BLOCK.finditer(text):
        if match[1] != "python":
            continue
        below = _SHOWN.match(text, match.end())
        parts = [int(k) for k in below[1].split()] if below and below[1] else None
        raises = text.endswith(_RAISES, 0, match.start())
        found.append(Block(match[2], raises, parts, below[2] if below else None, below.span(2) if below else (0, 0)))
    return found


def run(page: Path) -> Iterator[tuple[Block, str]]:
    """Each block of the page with what it printed. The blocks are one module, named after the page."""
    found = blocks(page.read_text("utf-8"))
    name = page.stem.lower().replace("-", "_")
    whole = "\n".join(block.code for block in found)
    file = f"{name}.py"  # what generated code calls the user's file
    linecache.cache[file] = (len(whole), None, whole.splitlines(keepends=True), file)
    module = types.ModuleType(f"page_{name}")
    sys.modules[module.__name__] = module
    first, ops, numpy = 0, dict(REGISTRY), dict(BY_NUMPY)  # a page may show how an op is added
    try:
        for block in found:
            yield block, selected(_printed(block, module, file, first), block.parts)
            first += block.code.count("\n") + 1
    finally:
        del sys.modules[module.__name__], linecache.cache[file]
        for table, before in ((REGISTRY, ops), (BY_NUMPY, numpy)):
            table.clear()
            table.update(before)


def _printed(block: Block, module: types.ModuleType, file: str, first: int) -> str:
    out = io.StringIO()
    code = compile("\n" * first + block.code, file, "exec")
    with contextlib.redirect_stdout(out):
        if not block.raises:
            exec(code, vars(module))
            return out.getvalue()
        try:
            exec(code, vars(module))
        except Exception as error:
            return f"{out.getvalue()}{type(error).__name__}: {error}\n"
    raise AssertionError(f"{file}: a block marked as raising did not:\n{block.code}")


def selected(output: str, parts: list[int] | None) -> str:
    """Some parts of an output, ... in place of the others."""
    if parts is None:
        return output
    pieces = output.rstrip("\n").split("\n\n\n")
    shown = [piece if k in parts else "..." for k, piece in enumerate(pieces)]
    kept = [piece for k, piece in enumerate(shown) if piece != "..." or k == 0 or shown[k - 1] != "..."]
    return "\n\n\n".join(kept) + "\n"


def alike(shown: str, printed: str) -> bool:
    """Whether two outputs agree: numbers to 1e-4, hashes and white space not at all."""
    texts = [" ".join(_NUMBER.sub("#", _HASH.sub("_", text)).split()) for text in (shown, printed)]
    numbers = [[float(n) for n in _NUMBER.findall(_HASH.sub("_", text))] for text in (shown, printed)]
    return texts[0] == texts[1] and all(abs(a - b) <= 1e-4 * max(1, abs(a)) for a, b in zip(*numbers, strict=True))


def refresh(page: Path) -> int:
    """Write what the page's blocks print; how many shown outputs changed."""
    text, changed = page.read_text("utf-8"), 0
    for block, printed in reversed(list(run(page))):
        if block.shown is not None and block.shown != printed:
            text = text[: block.span[0]] + printed + text[block.span[1] :]
            changed += 1
    page.write_text(text, "utf-8")
    return changed


if __name__ == "__main__":
    for page in [Path(name).resolve() for name in sys.argv[1:]] or pages():
        sys.stdout.write(f"{page.relative_to(ROOT)}: {refresh(page)} outputs changed\n")
