"""An Entry whose every sample is a process of its own."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.remote import search_path


@dataclass
class Process:
    """Runs `python -c code`, which prints a line of JSON: {"seconds": ..., "value": ...}.

    caches: "cold" gives every process empty folders for what compilers cache, "warm" the same folder to all, filled by
    the process whose result was compared. The code times itself, so that the start of Python is not counted.
    """

    code: str
    caches: str = "warm"
    steps: int = 1
    folder: tempfile.TemporaryDirectory = field(init=False)

    def __post_init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="gradgen-bench-")

    def result(self):
        return self.run()["value"]

    def sample(self, repeats):
        return sum(self.run()["seconds"] for _ in range(repeats))

    def close(self):
        self.folder.cleanup()

    def run(self) -> dict:
        with tempfile.TemporaryDirectory(dir=self.folder.name) as fresh:
            cache = self.folder.name if self.caches == "warm" else fresh
            environment = os.environ | caches_in(Path(cache)) | {"PYTHONPATH": search_path()}
            done = subprocess.run(
                [sys.executable, "-c", self.code], env=environment, cwd=fresh, capture_output=True, text=True
            )
        if done.returncode:
            raise RuntimeError(done.stderr.strip().split("\n")[-1] or f"exit status {done.returncode}")
        return json.loads(done.stdout.strip().split("\n")[-1])


def caches_in(folder: Path) -> dict[str, str]:
    """The settings that send every contender's cache to `folder`; JAX's keeps short compilations only when told to."""
    return {
        "GRADGEN_CACHE_DIR": str(folder / "gradgen"),
        "NUMBA_CACHE_DIR": str(folder / "numba"),
        "JAX_COMPILATION_CACHE_DIR": str(folder / "jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
