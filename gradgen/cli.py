"""The command `gradgen`: demo, show, cache, bench.

gradgen demo
gradgen show model.py:loss --args "np.ones((3, 4)), 2.0" --transform value_and_grad
gradgen cache info
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from functools import reduce
from pathlib import Path
from typing import Any

from gradgen import __version__
from gradgen.errors import GradgenError

TRANSFORMS = ("grad", "value_and_grad", "jit", "jacobian", "hessian")


def main(argv: list[str] | None = None) -> int:
    """Run one command. Returns 0, or 1 after an error that is the user's, told on standard error."""
    words = sys.argv[1:] if argv is None else argv
    if words[:1] == ["bench"]:  # all that follows belongs to the harness, its options too
        return _bench(words[1:])
    asked = _parser().parse_args(words)
    try:
        return asked.run(asked)
    except (GradgenError, UsageError) as error:
        print(f"gradgen: {error}", file=sys.stderr)
        return 1


class UsageError(Exception):
    """A word of the command line that means nothing."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gradgen", description="From NumPy functions to compiled derivatives.")
    parser.set_defaults(run=lambda _: _say(parser.format_help()))
    parser.add_argument("--version", action="version", version=f"gradgen {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="")
    demo = commands.add_parser("demo", help="train a network that reads handwritten digits")
    demo.set_defaults(run=_demo)
    show = commands.add_parser("show", help="print the graph and the generated code of a function")
    show.add_argument("function", metavar="MODULE:FUNCTION", help="MODULE: an importable name, or a path to a .py file")
    show.add_argument("--args", default="", metavar="EXPRS", help='its arguments, such as "np.ones((3, 4)), 2.0"')
    show.add_argument("--transform", choices=TRANSFORMS, help="what to do with it; plain functions: grad")
    show.add_argument("--argnums", type=int, default=0, help="the argument to differentiate for (0)")
    show.set_defaults(run=_show)
    cache = commands.add_parser("cache", help="the folder of generated modules")
    cache.add_argument("what", choices=("info", "clear"))
    cache.set_defaults(run=_cache)
    commands.add_parser("bench", help="run the benchmarks; --help lists their options", add_help=False)
    return parser


def _say(text: str) -> int:
    print(text, end="")
    return 0


def _demo(_) -> int:
    from gradgen.train.demo import main as demo

    return demo()


def _show(asked: argparse.Namespace) -> int:
    function = _transformed(_found(asked.function), asked)
    args = _values(asked.args)
    try:
        return _say(f"{function.graph(*args)}\n\n{function.source(*args)}")
    except TypeError as error:
        if isinstance(error, GradgenError) or "argument" not in str(error):
            raise
        raise UsageError(f"{asked.function}: {error}; --args gives them, such as 'np.ones((3, 4)), 2.0'") from None


def _transformed(function, asked: argparse.Namespace):
    """The function as asked for, else as it is where it is compiled, else its gradient."""
    from gradgen import api
    from gradgen.compiled import CompiledFunction

    if asked.transform is None and isinstance(function, CompiledFunction):
        return function
    transform = getattr(api, asked.transform or "grad")
    return transform(function) if transform is api.jit else transform(function, argnums=asked.argnums)


def _found(place: str) -> Any:
    """The object of MODULE:FUNCTION."""
    where, colon, name = place.rpartition(":")
    if not (where and colon and name):
        raise UsageError(f"{place!r} is not MODULE:FUNCTION")
    module = _module(where)
    try:
        return reduce(getattr, name.split("."), module)
    except AttributeError:
        raise UsageError(f"{where} has no {name}") from None


def _module(where: str) -> Any:
    path = Path(where)
    if path.suffix != ".py":
        _look_here()
        try:
            return importlib.import_module(where)
        except ModuleNotFoundError as error:
            raise UsageError(f"no module {error.name}: give an importable name or a path to a .py file") from None
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise UsageError(f"no file {where}")
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent.resolve()))  # for what stands beside it
    spec.loader.exec_module(module)
    return module


def _look_here() -> None:
    """Let modules in the current folder be imported, as `python -m` does."""
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))


def _values(text: str) -> tuple:
    """The arguments: Python expressions in which NumPy is np and gradgen is gg."""
    import numpy as np

    import gradgen as gg

    if not text.strip():
        return ()
    try:
        return eval(f"({text},)", {"np": np, "numpy": np, "gg": gg})
    except Exception as error:
        raise UsageError(f"--args {text!r}: {type(error).__name__}: {error}") from None


def _cache(asked: argparse.Namespace) -> int:
    from gradgen.runtime import cache

    if asked.what == "clear":
        return _say(f"{cache.clear()} modules removed\n")
    found: dict[str, Any] = cache.info()
    lines = (
        f"path     {found['path']}",
        f"modules  {found['modules']}",
        f"size     {found['bytes'] / 1e6:.1f} MB",
        f"oldest   {found['age'] / 86400:.1f} days",
    )
    return _say("\n".join(lines) + "\n")


def _bench(words: list[str]) -> int:
    _look_here()
    try:
        from benchmarks.__main__ import main as bench
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "benchmarks":
            raise
        print("gradgen: the benchmarks are in the source tree: run this in a checkout of gradgen", file=sys.stderr)
        return 1
    return bench(words)
