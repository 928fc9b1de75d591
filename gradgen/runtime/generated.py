"""The package of generated modules: gradgen.runtime.generated.<name> is the file <name>.py of the cache folder.

in:  an import of such a name: by module.load, by pickle in another process, or by Numba, which imports the module of
     every function that is linked into code that it loads from its cache
out: the module, whose functions have sealed machine-code caches (sealed.py)

Only files with a right checksum, which nobody else can write to, are imported. Else the import raises
FileNotFoundError, not ImportError: Numba, loading code that needs the module, takes it as the order to compile again.
"""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path

from gradgen.runtime import cache

__path__: list[str] = []  # makes this module a package


class Finder(MetaPathFinder):
    """Answers for this package only."""

    def find_spec(self, fullname, path=None, target=None) -> ModuleSpec | None:  # noqa: ARG002  importlib's signature
        package, _, name = fullname.rpartition(".")
        if package != __name__:
            return None
        for home in cache.homes():
            file = home / f"{name}.py"
            contents = cache.read_trusted(file)
            if contents is not None and cache.is_sealed(contents):
                return Loader(fullname, file, contents).spec()
        raise FileNotFoundError(f"no module {name} in the cache folder (GRADGEN_CACHE_DIR)")


class Loader(SourceFileLoader):
    """Runs the bytes that were checked. No .pyc: whatever lies in one could not be told from the text's."""

    def __init__(self, fullname: str, file: Path, contents: bytes):
        super().__init__(fullname, str(file))
        self.contents = contents

    def spec(self) -> ModuleSpec:
        spec = ModuleSpec(self.name, self, origin=self.path)
        spec.has_location = True  # gives the module its __file__
        return spec

    def get_code(self, fullname):  # noqa: ARG002
        return compile(self.contents, self.path, "exec", dont_inherit=True)

    def exec_module(self, module) -> None:
        from gradgen.runtime.sealed import protect

        try:
            super().exec_module(module)
        except Exception:
            # a function with an explicit signature loads its machine code here, by Numba's unguarded cache
            file = Path(self.path)
            damaged = cache.machine_code(file.parent, {file.stem})
            if not damaged:
                raise
            for code in damaged:
                code.unlink(missing_ok=True)
            super().exec_module(module)
        protect(module)


sys.meta_path.insert(0, Finder())
