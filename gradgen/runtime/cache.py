"""The folder of generated modules: where it is, what is in it, and what of it can be trusted.

in:  GRADGEN_CACHE_DIR, else the user's cache folder (platformdirs)
out: a folder that only its owner can write to, files written whole or not at all; `info` and `clear` for the CLI

    <folder>/<name>.py           a generated module, first line MARK and the SHA-256 of what follows
    <folder>/<name>.npz          its big constants, if it has any
    <folder>/__pycache__/gradgen-<name>.*.nbi, .nbc     Numba's machine code, unless NUMBA_CACHE_DIR sends it elsewhere

Whoever can write here can run code as us, so a folder or file that someone else owns or may change is not used.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
import time
import warnings
from contextlib import suppress
from pathlib import Path

from gradgen.errors import CacheWarning

MARK = b"# gradgen module, sha256 of what follows: "
PREFIX = "gradgen-"  # of sealed machine code (see sealed.py), which Numba's own cache must not take for its own
PART = ".gradgen-part"
FLAGS = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))

_private: dict[int, Path] = {}  # by process: a fork must not remove its parent's folder
_warned = False


def folder() -> Path | None:
    """The cache folder, made if missing; None, after one CacheWarning, where it can't be used."""
    path = _location()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        problem = _fault(path)
    except OSError as error:
        problem = str(error)
    if problem is None:
        return path
    warn(f"{path} can't hold compiled modules: {problem}. Kernels are compiled anew in each process")
    return None


def _location() -> Path:
    chosen = os.environ.get("GRADGEN_CACHE_DIR")
    if chosen:
        return Path(chosen).expanduser().absolute()
    import platformdirs  # 5 ms that a process with the variable set need not pay

    return platformdirs.user_cache_path("gradgen")


def _fault(path: Path) -> str | None:
    if not path.is_dir():
        return "it is not a folder"
    if not is_ours(path.stat()):
        return f"it belongs to someone else or others may write to it (remedy: chmod go-w {path})"
    return None if os.access(path, os.W_OK | os.X_OK) else "it is not writable"


def is_ours(status: os.stat_result) -> bool:
    """Whether this user owns it and nobody else may write to it. True on Windows, whose ACLs stat doesn't show."""
    return not hasattr(os, "getuid") or (status.st_uid == os.getuid() and not status.st_mode & 0o022)


def warn(problem: str) -> None:
    """One CacheWarning in the life of the process."""
    global _warned
    if not _warned:
        _warned = True
        warnings.warn(problem, CacheWarning, stacklevel=3)


def private_folder() -> Path:
    """A temporary folder of this very process, removed at its exit."""
    pid = os.getpid()
    if pid not in _private:
        import atexit

        _private[pid] = Path(tempfile.mkdtemp(prefix="gradgen-"))
        atexit.register(_remove_private, pid)
    return _private[pid]


def homes() -> list[Path]:
    """Where modules of this process may be: a module is in the private folder if the cache folder could not take it."""
    return [home for home in (_private.get(os.getpid()), folder()) if home is not None]


def _remove_private(pid: int) -> None:
    if pid == os.getpid():
        shutil.rmtree(_private.pop(pid), ignore_errors=True)


def seal(body: bytes) -> bytes:
    """The contents of a module's file: the line with the checksum of the body, then the body."""
    return MARK + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def is_sealed(contents: bytes) -> bool:
    """Whether the checksum is there and right."""
    return contents == seal(contents.partition(b"\n")[2])


def read_trusted(path: Path) -> bytes | None:
    """The file's contents; None if it is missing, is not a plain file, or someone else could have written it."""
    try:
        descriptor = os.open(path, FLAGS)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        return file.read() if stat.S_ISREG(status.st_mode) and is_ours(status) else None


def write_whole(path: Path, contents: bytes) -> None:
    """Write with mode 0600 so that every reader, in any process, sees the old file or the new one. Raises OSError."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.stem + ".", suffix=PART)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(contents)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def machine_code(home: Path, names: set[str]) -> list[Path]:
    """Numba's files for the modules of these names, as far as they lie beside them."""
    files = (p for p in home.glob("__pycache__/*") if p.suffix in (".nbi", ".nbc"))
    return [p for p in files if p.name.removeprefix(PREFIX).split(".")[0] in names]


def info() -> dict[str, Path | int | float | None]:
    """path, number of modules, bytes in all, and age of the oldest module in seconds."""
    home = folder()
    modules, others = _contents(home)
    now = time.time()
    return {
        "path": home,
        "modules": len(modules),
        "bytes": sum(_status(file, "st_size", 0) for file in modules + others),
        "age": max((now - _status(module, "st_mtime", now) for module in modules), default=0.0),
    }


def clear() -> int:
    """Remove every generated module and its machine code, and nothing else; returns the number of modules."""
    home = folder()
    modules, others = _contents(home)
    parts = home.glob("*" + PART) if home else ()
    for file in (*modules, *others, *parts):
        with suppress(OSError):
            file.unlink(missing_ok=True)
    return len(modules)


def _contents(home: Path | None) -> tuple[list[Path], list[Path]]:
    """The modules, and the files that belong to them."""
    if home is None:
        return [], []
    modules = [path for path in sorted(home.glob("*.py")) if _is_generated(path)]
    constants = [path for module in modules if (path := module.with_suffix(".npz")).exists()]
    return modules, constants + machine_code(home, {module.stem for module in modules})


def _is_generated(path: Path) -> bool:
    # a folder that was named by mistake may hold the user's own modules: they lack the mark, and stay
    with suppress(OSError), path.open("rb") as file:
        return file.read(len(MARK)) == MARK
    return False


def _status(path: Path, field: str, missing: float) -> float:
    try:
        return getattr(path.stat(), field)
    except OSError:
        return missing
