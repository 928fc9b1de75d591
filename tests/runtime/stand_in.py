"""A compiled function as runtime.nopython sees one: a formula, printed into a module for each call from Numba."""

from __future__ import annotations

import hashlib

from gradgen.errors import DifferentiationError
from gradgen.runtime import module

TEXT = """
from numba import njit

@njit({options})
def {name}({parameters}):
    return {formula}
"""
OPTIONS = 'cache=True, nogil=True, error_model="numpy", fastmath={"contract", "arcp", "nsz", "afn", "reassoc"}'


class Formula:
    def __init__(self, parameters, formula, options=OPTIONS, structure=None, refuse="", **attributes):
        self.parameters, self.formula, self.options = parameters, formula, options
        self.structure, self.refuse = structure, refuse
        self.asked = []
        self.__dict__.update(attributes)

    @property
    def _numba_type_(self):
        from gradgen.runtime import nopython

        return nopython.callable_type(self)

    def kernel_for_types(self, arguments):
        self.asked.append(arguments)
        if any(a.dtype.kind in self.refuse for a in arguments if hasattr(a, "dtype")):
            raise DifferentiationError(f"grad of {self.formula} needs floats")
        kernel = self.kernel(arguments)
        return kernel if self.structure is None else (kernel, self.structure)

    def kernel(self, arguments=()):
        facts = (self.parameters, self.formula, self.options)
        name = "formula_" + hashlib.sha256(repr(facts).encode()).hexdigest()[:12]
        text = TEXT.format(options=self.options, name=name, parameters=self.parameters, formula=self.formula)
        return getattr(module.load(name, text), name)


class Named(Formula):
    """One that pickles by reference, as the global `qualname` of its module."""

    def __init__(self, module, qualname, *args, **options):
        super().__init__(*args, **options)
        self.__module__, self.__qualname__ = module, qualname

    def __reduce__(self):
        return self.__qualname__
