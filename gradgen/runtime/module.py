"""Generated text -> an imported Python module that is a real file.

in:  a name that carries a hash of everything, the text, and perhaps arrays too big for text
out: the module gradgen.runtime.generated.<name>: pdb, inspect, pickle and Numba's cache find it like any other

    module = load("f_grad_9c41e0", text)      # ~/.cache/gradgen/f_grad_9c41e0.py, written if it is not there unharmed

The text at hand is what runs, never what a file says: a file is only ever equal to it or replaced.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import io
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from gradgen.runtime import cache, generated

CONSTANTS = 'np.load(__file__.removesuffix(".py") + ".npz")'  # what a module's text writes to get its constants


def load(name: str, text: str, constants: Mapping[str, np.ndarray] | None = None) -> ModuleType:
    """The module of this text, imported once in a process. `name`: a Python identifier, unique for text and constants.

    `constants` are saved beside it as <name>.npz; the text loads them with the expression CONSTANTS.
    Safe to call from any thread, and from many processes at once.
    """
    from numba.core.compiler_lock import global_compiler_lock

    contents = cache.seal(text.encode())
    full = f"{generated.__name__}.{name}"
    # Numba's own lock: typing a user's function holds it and loads modules, and a second lock could deadlock with it
    with global_compiler_lock:
        module = sys.modules.get(full)
        if module is None or getattr(module.__loader__, "contents", None) != contents:
            module = _execute(full, _store(name, contents, constants), contents)
    return module


def _execute(full: str, path: Path, contents: bytes) -> ModuleType:
    loader = generated.Loader(full, path, contents)
    module = sys.modules[full] = importlib.util.module_from_spec(loader.spec())
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[full]
        raise
    return module


def _store(name: str, contents: bytes, constants: Mapping[str, np.ndarray] | None) -> Path:
    home = cache.folder()
    if home is not None:
        try:
            return _store_in(home, name, contents, constants)
        except OSError as error:
            cache.warn(f"{name} can't be kept in {home}: {error}. Kernels are compiled anew in each process")
    return _store_in(cache.private_folder(), name, contents, constants)


def _store_in(home: Path, name: str, contents: bytes, constants: Mapping[str, np.ndarray] | None) -> Path:
    numba_folder = home / "__pycache__"
    numba_folder.mkdir(mode=0o700, exist_ok=True)
    if not cache.is_ours(numba_folder.lstat()) or not os.access(numba_folder, os.W_OK | os.X_OK):
        raise PermissionError(f"{numba_folder} is not ours to write")
    path = home / f"{name}.py"
    if constants:
        _ensure(path.with_suffix(".npz"), _archive(constants))
    _ensure(path, contents)
    return path


def _ensure(path: Path, contents: bytes) -> None:
    if cache.read_trusted(path) != contents:
        cache.write_whole(path, contents)


def _archive(constants: Mapping[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {key: np.asarray(constants[key]) for key in sorted(constants)}
    np.savez(buffer, **arrays)
    return buffer.getvalue()


@functools.cache
def environment_digest() -> str:
    """16 hex digits of all that decides what code is right here, save the function itself; 1 ms, once in a process.

    gradgen's version and the time and size of each of its source files (so an edit of gradgen counts), the versions of
    Python, NumPy, Numba and llvmlite, and the CPU that Numba compiles for.
    """
    import llvmlite
    import numba
    from llvmlite import binding

    import gradgen

    facts = [
        getattr(gradgen, "__version__", ""), sys.version, np.__version__, numba.__version__, llvmlite.__version__,
        getattr(numba.config, "CPU_NAME", None) or binding.get_host_cpu_name(),
        getattr(numba.config, "CPU_FEATURES", None) or binding.get_host_cpu_features().flatten(),
        *_sources(Path(__file__).parents[1]),
    ]  # fmt: skip
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]


def _sources(root: Path) -> Iterator[str]:
    for place, folders, files in os.walk(root):
        folders.sort()
        for file in sorted(files):
            if file.endswith(".py"):
                status = os.stat(os.path.join(place, file))  # noqa: PTH116, PTH118  a third of pathlib's time
                yield f"{place[len(str(root)) :]}/{file} {status.st_mtime_ns} {status.st_size}"
