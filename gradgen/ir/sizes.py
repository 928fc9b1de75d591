"""Sizes of axes: ints, or polynomials over named symbols.

A `Symbol` is a size that a kernel learns when it is called; a `Dim` is a polynomial over symbols, kept in normal
form, so that n + n and 2*n are one object's worth of facts. Whether two different Dims are the same size can't be
read off them: `same` decides by the hints (the sizes of the call that is being traced) and makes the kernel narrower
(`Narrow`: trace again with these symbols replaced), so that an answer given once holds for every call of the kernel.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gradgen.errors import ShapeError


@dataclass(frozen=True, slots=True)
class Symbol:
    """A named size. `hint`: its value in the call being traced. `guards`: facts assumed of it in this trace."""

    name: str
    hint: int | None = field(default=None, compare=False)
    guards: list | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Quotient:
    """Floor division that does not come out even, an atom like a symbol: (n + 1) // 2."""

    top: Dim
    bottom: int | Dim

    def __str__(self) -> str:
        return f"(({self.top})//{_factor(self.bottom)})"


class Narrow(BaseException):
    """The trace needs to know sizes: trace again with these symbols replaced (name -> int or symbol name).

    Not an error, and not for a user's `except Exception`.
    """

    def __init__(self, replacements: dict[str, int | str]):
        super().__init__(replacements)
        self.replacements = replacements


class Dim:
    """A polynomial with integer coefficients over symbols and quotients; never a plain number."""

    __slots__ = ("_hash", "terms")

    def __init__(self, terms: tuple):
        self.terms = terms
        self._hash = hash(terms)

    @property
    def __gradgen_dim__(self) -> Dim:
        return self

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other) -> bool:
        return isinstance(other, Dim) and self.terms == other.terms

    def __repr__(self) -> str:
        return f"Dim({self})"

    def __str__(self) -> str:
        text = ""
        for atoms, coefficient in self.terms:
            body = "*".join(str(a) for a in atoms)
            scale = abs(coefficient)
            word = str(scale) if not body else body if scale == 1 else f"{scale}*{body}"
            sign = "-" if coefficient < 0 else "+"
            text = f"{text} {sign} {word}" if text else word if coefficient > 0 else f"-{word}"
        return text

    def __add__(self, other):
        if not isinstance(other, (int, Dim)):
            return NotImplemented  # an index of the loop program knows how to add a size
        return _normal(dict(_terms(self)), _terms(other))

    __radd__ = __add__

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-1 * other)

    def __rsub__(self, other):
        return (-1 * self) + other

    def __mul__(self, other):
        if not isinstance(other, (int, Dim)):
            return NotImplemented
        total: dict = {}
        for a, p in _terms(self):
            for b, q in _terms(other):
                key = tuple(sorted(a + b, key=str))
                total[key] = total.get(key, 0) + p * q
        return _normal(total)

    __rmul__ = __mul__

    def __floordiv__(self, other):
        exact = divide_exactly(self, other)
        return exact if exact is not None else Dim((((Quotient(self, other),), 1),))

    def __rfloordiv__(self, other):
        return Dim((((Quotient(Dim((((), other),)), self),), 1),))

    def symbols(self) -> set[Symbol]:
        found: set[Symbol] = set()
        for atoms, _ in self.terms:
            for atom in atoms:
                if isinstance(atom, Symbol):
                    found.add(atom)
                else:
                    found |= atom.top.symbols() | (atom.bottom.symbols() if isinstance(atom.bottom, Dim) else set())
        return found

    def value(self, env: dict[str, int]) -> int:
        """The number, given one for each symbol's name."""
        total = 0
        for atoms, coefficient in self.terms:
            product = coefficient
            for atom in atoms:
                if isinstance(atom, Symbol):
                    product *= env[atom.name]
                else:
                    product *= evaluate(atom.top, env) // evaluate(atom.bottom, env)
            total += product
        return total


Size = int | Dim


def symbol(name: str, hint: int | None = None, guards: list | None = None) -> Dim:
    return Dim((((Symbol(name, hint, guards),), 1),))


def _terms(x):
    return x.terms if isinstance(x, Dim) else ((((), x),) if x else ())


def _factor(x) -> str:
    return f"({x})" if isinstance(x, Dim) and len(x.terms) > 1 else str(x)


def _normal(total: dict, more=()):
    for atoms, coefficient in more:
        total[atoms] = total.get(atoms, 0) + coefficient
    terms = tuple(sorted(((a, c) for a, c in total.items() if c), key=lambda t: (-len(t[0]), [str(s) for s in t[0]])))
    if not terms:
        return 0
    if len(terms) == 1 and terms[0][0] == ():
        return terms[0][1]
    return Dim(terms)


def divide_exactly(a: Size, b: Size) -> Size | None:
    """The quotient where b divides every term of a, else None."""
    if isinstance(a, int) and isinstance(b, int):
        return a // b if b and a % b == 0 else None
    divisors = _terms(b)
    if len(divisors) != 1:
        return 1 if a == b else None
    (atoms, coefficient), total = divisors[0], {}
    for have, count in _terms(a):
        rest = list(have)
        for atom in atoms:
            if atom not in rest:
                return None
            rest.remove(atom)
        if count % coefficient:
            return None
        total[tuple(rest)] = count // coefficient
    return _normal(total)


def product(sizes) -> Size:
    total: Size = 1
    for size in sizes:
        total = total * size
    return total


def evaluate(size: Size, env: dict[str, int]) -> int:
    return size.value(env) if isinstance(size, Dim) else size


def hint(size: Size) -> int | None:
    """The size in the call being traced, None where a signature left it open."""
    if not isinstance(size, Dim):
        return size
    hints = {s.name: s.hint for s in size.symbols()}
    return None if None in hints.values() else size.value(hints)  # type: ignore[arg-type]


def same(a: Size, b: Size) -> bool:
    """Whether two sizes are equal, in every call of the kernel. Sizes that happen to agree now are made to agree."""
    if a == b:
        return True
    if isinstance(a, int) and isinstance(b, int):
        return False
    left, right = hint(a), hint(b)
    if left is None or right is None:
        raise ShapeError(
            f"sizes {a} and {b}: equal or not? Inside @njit, or under a signature, nothing says so",
            hint=f'declare it: signature=("f64[{a}]", ...): the same letter is the same size, a number is static',
        )
    if left != right:
        guard(a, "!=", b)
        return False
    raise Narrow(_replacements(a, b))


def _replacements(a: Size, b: Size) -> dict[str, int | str]:
    """Two bare symbols become one; anything else becomes numbers."""
    bare = [s.terms[0][0][0] for s in (a, b) if isinstance(s, Dim) and str(s).isidentifier()]
    if len(bare) == 2:
        keep, drop = sorted(bare, key=lambda s: s.name)
        return {drop.name: keep.name}
    return {s.name: s.hint for d in (a, b) if isinstance(d, Dim) for s in d.symbols() if s.hint is not None}


def freeze(size: Size) -> int:
    """The size as a number, from now on fixed in this kernel."""
    if isinstance(size, int):
        return size
    if hint(size) is None:
        raise ShapeError(
            f"size {size} is needed as a number, but nothing says which",
            hint="give the number in the signature, or call the function from Python once",
        )
    raise Narrow({s.name: s.hint for s in size.symbols()})  # type: ignore[misc]


RELATIONS = {
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip
OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def holds(a: Size, relation: str, b: Size) -> bool:
    """Whether `a relation b` in the call being traced; the kernel serves only calls that answer alike.

    Where a signature leaves the sizes open, the answer is yes, and the kernel raises where it is not.
    """
    difference = a - b
    if isinstance(difference, int):
        return RELATIONS[relation](difference, 0)
    left, right = hint(a), hint(b)
    truth = left is None or right is None or RELATIONS[relation](left, right)
    guard(a, relation if truth else OPPOSITE[relation], b)
    return truth


def guard(a: Size, relation: str, b: Size) -> None:
    """Record that the trace holds only where `a relation b`."""
    for size in (a, b):
        for s in size.symbols() if isinstance(size, Dim) else ():
            if s.guards is not None:
                if (a, relation, b) not in s.guards:
                    s.guards.append((a, relation, b))
                return
