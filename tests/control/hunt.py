"""Many random programs of loops: python -m tests.control.hunt 1000 [--first 0] [--compiled] [--failures FILE].

Each failure is made small (lines are left out, names replaced, while the same check fails in the same way) and
written to FILE with the seed; what was run is said at the end. Seeds are the same programs in every run.
"""

# ruff: noqa: T201  a command prints

from __future__ import annotations

import argparse
import collections
import os
import random
import re
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

from gradgen.errors import UnsupportedError
from tests.control import checks
from tests.control.loading import load
from tests.control.programs import program


def drawn(seed: int) -> tuple[str, list]:
    chosen = random.Random(seed)
    return program(lambda options: options[chosen.randrange(len(options))], 1 + seed % 4, 1 + seed // 4 % 3)


def failure(check, text: str, args: list) -> str | None:
    """What is wrong, in one line."""
    try:
        with np.errstate(all="ignore"):
            check(text, args)
    except UnsupportedError:  # says what gradgen does not do: right, or a clear error
        return None
    except Exception as found:
        lines = [line for line in str(found).splitlines() if line.strip()]
        return f"{type(found).__name__}: {' | '.join(lines[:3])[:200]}"
    return None


def runs(text: str, args: list) -> bool:
    """Whether the program is one: plain Python runs it, and all numbers are finite."""
    try:
        with np.errstate(all="ignore"):
            f, loss = load(text)
            return all(np.all(np.isfinite(x)) for x in f(*args)) and np.ndim(loss(*args)) == 0
    except Exception:
        return False


def alike(a: str, b: str) -> bool:
    """Two failures of one kind: numbers and names apart."""
    short = [re.sub(r"[0-9.e+-]+|\bv\d+\b|%\d+", "", x)[:60] for x in (a, b)]
    return short[0] == short[1]


def smaller(text: str, args: list, check) -> str:
    first = failure(check, text, args)
    assert first is not None

    def still(candidate: str) -> bool:
        if not runs(candidate, args):
            return False
        found = failure(check, candidate, args)
        return found is not None and alike(found, first)

    end, progress = time.time() + 20, True
    while progress and time.time() < end:
        progress = False
        for candidate in _shorter(text):
            if len(candidate) < len(text) and still(candidate):
                text, progress = candidate, True
                break
    return text


def _shorter(text: str):
    """Programs with something left out, the largest parts first."""
    lines = text.splitlines()
    for k in range(1, len(lines)):
        indent = len(lines[k]) - len(lines[k].lstrip())
        last = k + 1
        while last < len(lines) and lines[last].strip() and len(lines[last]) - len(lines[last].lstrip()) > indent:
            last += 1
        if lines[k].strip() and not lines[k].startswith("def") and "return" not in lines[k]:
            yield "\n".join([*lines[:k], *lines[last:]]) + "\n"
    for k, line in enumerate(lines):  # an operand instead of what is made of it
        for found in re.finditer(r"\w+(\.\w+)*\(", line):
            inside = _balanced(line, found.end() - 1)
            if inside is None or "def " in line[: found.start()] + "def " * line.startswith("def "):
                continue
            for part in (*_parts(line[found.end() : inside]), "0.5", "x0", "x1"):
                yield "\n".join([*lines[:k], line[: found.start()] + part + line[inside + 1 :], *lines[k + 1 :]]) + "\n"
        for found in re.finditer(r"[vcxyit]\d+", line):
            if line.lstrip().startswith("def ") or found.end() <= line.find(" = "):
                continue
            for name in ("x0", "x1", "x2", "n0", "1"):
                yield (
                    "\n".join([*lines[:k], line[: found.start()] + name + line[found.end() :], *lines[k + 1 :]]) + "\n"
                )
        for found in re.finditer(r" [-+*/%@] ", line):
            for cut in (line[: found.start()], line[: found.start()] + re.sub(r"^[\w.]+", "", line[found.end() :])):
                yield "\n".join([*lines[:k], cut, *lines[k + 1 :]]) + "\n"


def _balanced(line: str, start: int) -> int | None:
    depth = 0
    for k in range(start, len(line)):
        depth += {"(": 1, ")": -1}.get(line[k], 0)
        if depth == 0:
            return k
    return None


def _parts(text: str) -> list[str]:
    parts, depth, last = [], 0, 0
    for k, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            parts.append(text[last:k].strip())
            last = k + 1
    return [*parts, text[last:].strip()]


def main() -> None:
    read = argparse.ArgumentParser(description=__doc__)
    read.add_argument("count", type=int)
    read.add_argument("--first", type=int, default=0)
    read.add_argument("--compiled", action="store_true")
    read.add_argument("--only", help="one check, by name")
    read.add_argument("--failures", type=Path, default=Path("loop_failures.md"))
    read.add_argument("--as-they-are", action="store_true", help="failures are not made small")
    options = read.parse_args()
    chosen = checks.COMPILED if options.compiled else checks.INTERPRETED
    warnings.simplefilter("ignore")
    seen: collections.Counter = collections.Counter()
    ran: collections.Counter = collections.Counter()
    start = time.time()
    for seed in range(options.first, options.first + options.count):
        text, args = drawn(seed)
        if not runs(text, args):
            ran["no program"] += 1
            continue
        ran["programs"] += 1
        for k, check in enumerate(chosen):
            if options.only not in (None, check.__name__):
                continue
            if options.compiled and k > 1 and seed % 3 != k % 3:  # a share of them
                continue
            ran[check.__name__] += 1
            found = failure(check, text, args)
            if found is None:
                continue
            kind = re.sub(r"[0-9.e+-]+", "", f"{check.__name__} {found}")[:70]
            seen[kind] += 1
            ran["failures"] += 1
            if seen[kind] <= 2:
                small = text if options.as_they_are else smaller(text, args, check)
                report = f"\n## {check.__name__}, seed {seed}: {failure(check, small, args)}\n\nargs: {args!r}\n\n```python\n{small}```\n"
                with options.failures.open("a") as file:
                    file.write(report)
                print(f"seed {seed} {check.__name__}: {found}", flush=True)
    print(dict(ran), dict(seen), f"{time.time() - start:.0f} s", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("GRADGEN_CACHE_DIR", tempfile.mkdtemp(prefix="gradgen-hunt-"))
    sys.exit(main())
