"""Numba's machine-code cache, made safe against damage: an entry that can't be read is an entry that isn't there.

in:  the dispatchers of a generated module, declared with cache=True
out: the same dispatchers; their cached code carries a checksum, the CPU and the signature that it is for

Numba itself unpickles whatever it finds: a truncated index raises EOFError out of the user's call, a flipped bit in the
object code crashes the process, and two processes that save different signatures at once may both name their file
`.1.nbc`, so that the index leads one signature to the other's code. Here each of these means: compile again.
"""

from __future__ import annotations

import glob
import hashlib
import pickle
from pathlib import Path
from types import ModuleType
from typing import Any

from numba.core import sigutils
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.dispatcher import Dispatcher
from numba.core.serialize import dumps

from gradgen.runtime import cache


class SealedResult(CompileResultCacheImpl):
    """(SHA-256, CPU, pickle) in place of Numba's bare tuple, in files of another name."""

    def reduce(self, cres):
        body = dumps(super().reduce(cres))
        return hashlib.sha256(body).digest(), cres.codegen.magic_tuple(), body

    def rebuild(self, target_context, payload):
        digest, cpu, body = payload
        if hashlib.sha256(body).digest() != digest or cpu != target_context.codegen().magic_tuple():
            raise ValueError("damaged machine code, or code for another CPU")
        return super().rebuild(target_context, pickle.loads(body))

    def get_filename_base(self, fullname, abiflags):
        return cache.PREFIX + super().get_filename_base(fullname, abiflags)


class SealedCache(FunctionCache):
    """The cache of one function. Neither loading nor saving ever raises."""

    _impl_class = SealedResult

    def load_overload(self, sig, target_context):
        try:
            cres = super().load_overload(sig, target_context)
        except Exception:  # unpickling damaged bytes raises anything
            self.forget()
            return None
        if cres is not None and cres.signature.args != tuple(sigutils.normalize_signature(sig)[0]):
            self.forget()
            return None
        return cres

    def save_overload(self, sig, data):
        try:
            super().save_overload(sig, data)
        except Exception as error:
            cache.warn(f"machine code can't be saved in {self.cache_path}: {error}. It is compiled anew next time")

    def forget(self) -> None:
        """Remove the index and the code of this function."""
        base = glob.escape(self._impl.filename_base)
        for file in Path(self.cache_path).glob(base + ".*"):
            file.unlink(missing_ok=True)


def protect(module: ModuleType) -> None:
    """Seal the caches of the dispatchers that the module defines."""
    dispatchers: list[Any] = [value for value in vars(module).values() if isinstance(value, Dispatcher)]
    for dispatcher in dispatchers:
        is_home = dispatcher.py_func.__module__ == module.__name__
        if is_home and isinstance(dispatcher._cache, FunctionCache):
            dispatcher._cache = SealedCache(dispatcher.py_func)
