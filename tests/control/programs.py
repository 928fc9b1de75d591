"""Random programs of loops and branches as text: what plain Python, the tape and gradgen all run.

    def f(x0, n0):
        def body1(i, c):
            v2 = np.tanh(c[0] * x0)
            c3 = at(c[1])[i % 3].add(0.1 * v2)
            return v2, c3
        v4, v5 = gg.fori_loop(0, n0, body1, (0.5, x0))
        return v4, v5

Values stay within about 2, far from poles; the branches and conditions compare with odd numbers, so that no kink lies
where differences are taken. Names are unique: a closure sees what it saw when it was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

N, M = 3, 2
SHAPES = [(), (), (N,), (N,), (M, N), (N, N)]
SAME = ("np.tanh({a} + {b})", "np.sin({a} * {b})", "0.6 * {a} - 0.3 * {b}", "np.tanh({a}) * {b}", "{b} / (1.2 + {a} * {a})",
        "np.where({p}, {a}, 0.7 * {b})", "np.exp(-{a} * {a}) * {b}", "np.sqrt(1 + {a} * {a}) - 0.9 * {b}",
        "np.sin({a}) ** 2 - 0.5 * {b}", "np.where({p}, 0.3, {a})", "1.3 * {a}")  # fmt: skip
PREDICATES = ("{s} > 0.0371", "{s} < 0.4173", "np.sin(9 * {s}) > 0.1937", "({k}) % 2 == 0", "({k}) % 3 != 1")


class Kind(NamedTuple):
    letter: str  # f, i, b: what np.dtype calls them
    shape: tuple = ()


REAL, WHOLE, TRUTH = Kind("f"), Kind("i"), Kind("b")


class Writer:
    """Grows one program. `choose(list)`: an element of it."""

    def __init__(self, choose: Callable):
        self.choose, self.lines, self.count = choose, [], 0
        self.depth, self.scope = 1, {}

    # -- names

    def fresh(self, letter: str = "v") -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def line(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    def bind(self, text: str, kind: Kind) -> str:
        name = self.fresh()
        self.line(f"{name} = {text}")
        self.scope[name] = kind
        return name

    def chance(self, percent: int) -> bool:
        return self.choose(range(100)) < percent

    def name(self, fits: Callable) -> str | None:
        """A value in scope; what was made last is likelier."""
        names = [n for n, kind in self.scope.items() if fits(kind)]
        return self.choose(names + names[-4:] * 3) if names else None

    # -- expressions

    def whole(self) -> str:
        name = self.name(lambda kind: kind == WHOLE)
        return name if name and self.chance(80) else str(self.choose(range(5)))

    def scalar(self) -> str:
        array = self.name(lambda kind: kind.letter == "f" and kind.shape)
        name = self.name(lambda kind: kind == REAL)
        if array and (name is None or self.chance(35)):
            key = ", ".join(f"{self.place()} % {n}" for n in self.scope[array].shape)
            return self.choose([f"{array}[{key}]", f"np.mean({array})", f"{array}.sum() * 0.2"])
        return name or "0.37"

    def place(self) -> str:
        return f"({self.whole()}{self.choose(['', ' + 1', ' - 1', ' * 2'])})"

    def predicate(self) -> str:
        name = self.name(lambda kind: kind == TRUTH)
        if name and self.chance(40):
            return self.choose([name, f"np.logical_not({name})"])
        return self.choose(PREDICATES).format(s=self.scalar(), k=self.whole())

    def leaf(self, kind: Kind) -> str:
        """Something of a kind: a value in scope, or made of one with other shape."""
        name = self.name(lambda other: other == kind)
        if kind.letter == "i":
            return f"({self.whole()} + {self.choose([1, 2, 3])}) % {self.choose([3, 4, 5])}"
        if kind.letter == "b":
            return self.predicate()
        if kind.shape == ():
            return self.scalar()
        if name and self.chance(75):
            return name
        row = self.name(lambda other: other.letter == "f" and other.shape and other.shape == kind.shape[1:])
        rows = self.name(lambda other: other.letter == "f" and other.shape[1:] == kind.shape and other.shape)
        made = [f"np.full({kind.shape}, 0.4) * {self.scalar()}"]
        made += [f"np.stack([{row}] * {kind.shape[0]})"] if row else []
        made += [f"{rows}[{self.place()} % {self.scope[rows].shape[0]}]"] if rows else []
        return self.choose(made)

    def value(self, kind: Kind) -> str:
        """A new value of a kind."""
        if kind.letter != "f":
            return self.leaf(kind)
        array = self.name(lambda other: other == kind and len(kind.shape) > 0)
        if array and self.chance(35):
            return self.choose([self.written, self.written, self.viewed])(array)
        if kind.shape and self.chance(15):
            return self.product(kind)
        a, b = self.leaf(kind), self.leaf(self.choose([kind, kind, REAL]))
        if self.chance(5):
            b = f"(0.1 * {self.whole()})"
        return self.choose(SAME).format(a=a, b=b, p=self.predicate())

    def viewed(self, a: str) -> str:
        form = self.choose(["{a}[::-1]", "np.concatenate(({a}[1:], {a}[:1]))", "0.7 * {a}[::-1]"])
        return form.format(a=a)

    def product(self, kind: Kind) -> str:
        square = self.name(lambda other: other == Kind("f", (N, N)))
        if square is None or kind.shape[-1] != N:
            return f"np.tanh({self.leaf(kind)})"
        return f"0.4 * ({self.leaf(kind)} @ {square})"

    def written(self, a: str) -> str:
        """An in-place write, at whole numbers and slices."""
        shape = self.scope[a].shape
        keys = [self.choose([f"{self.place()} % {n}", f"{self.place()} % {n}", "1:", "::2", ":", ":-1", "-1", "::-1"])
                for n in shape[: self.choose([1, len(shape)])]]  # fmt: skip
        key = ", ".join(keys)
        region = np.zeros(shape)[eval(f"np.index_exp[{re.sub(r'[(][^)]*[)] % [0-9]', '0', key)}]", {"np": np})]
        read = self.name(lambda other: other == self.scope[a])
        value = self.choose([f"np.sin({read}[{key}])", f"0.5 * {read}[{key}]", f"np.tanh({self.scalar()})"])
        if region.ndim and self.chance(20):
            value = f"np.sin({self.leaf(Kind('f', region.shape))})"
        if self.chance(50):
            return f"at({a})[{key}].set({value})"
        return f"at({a})[{key}].add(0.1 * {value})"

    # -- statements

    def statement(self, nesting: int) -> None:
        if nesting > 0 and self.chance(45):
            self.choose([self.fori, self.fori, self.scan, self.scan, self.while_, self.branch])(nesting - 1)
            return
        kind = self.choose([*(Kind("f", s) for s in SHAPES), WHOLE, TRUTH])
        self.bind(self.value(kind), kind)

    def block(self, header: str, names: dict[str, Kind], unpack: str | None, nesting: int, result: Callable) -> None:
        """A function: its parameters are `names`, its last line returns what `result` says."""
        outer = dict(self.scope)
        self.line(header)
        self.depth += 1
        if unpack:
            self.line(unpack)
        self.scope |= names
        for _ in range(self.choose([0, 1, 1, 2, 3])):
            self.statement(nesting)
        self.line(f"return {result()}")
        self.depth -= 1
        self.scope = outer

    def carries(self) -> tuple[list[str], dict[str, Kind]]:
        """What a carry starts with, and its parts by name."""
        kinds = [self.choose([*(Kind("f", s) for s in SHAPES), WHOLE, TRUTH]) for _ in range(self.choose([1, 1, 2, 3]))]
        inits = [self.start(kind) for kind in kinds]
        if len(kinds) > 1 and kinds[0] == kinds[1] and self.chance(30):
            inits[1] = inits[0]
        return inits, {self.fresh("c"): kind for kind in kinds}

    def start(self, kind: Kind) -> str:
        if kind.shape == () and self.chance(25):
            return {"f": self.choose(["0.5", "0", "1.0"]), "i": self.choose(["0", "2"]), "b": "True"}[kind.letter]
        return self.leaf(kind)

    def step(self, carries: dict[str, Kind]) -> str:
        """The next carry: new values, some as they were, some in one another's place."""
        names = list(carries)
        return self.several([
            self.choose([n for n in names if carries[n] == kind]) if self.chance(20) else self.value(kind)
            for kind in carries.values()
        ])  # fmt: skip

    def several(self, parts: list[str]) -> str:
        return f"({', '.join(parts)},)"

    def bound(self) -> str:
        return self.choose([str(self.choose([0, 1, 2, 3, 4])), f"{self.whole()} % 4", f"{self.whole()} - 1"])

    def taken(self, call: str, carries: dict[str, Kind], pattern: str = "{}") -> None:
        """Bind what a loop returns."""
        outs = {self.fresh(): kind for kind in carries.values()}
        self.line(f"{pattern.format(self.several(list(outs)))} = {call}")
        self.scope |= outs

    def fori(self, nesting: int) -> None:
        inits, carries = self.carries()
        body, i, c = self.fresh("body"), self.fresh("i"), self.fresh("c")
        lo, hi = self.choose(["0", "0", "1", "-1", f"{self.whole()} % 2"]), self.bound()
        self.block(f"def {body}({i}, {c}):", {i: WHOLE, **carries}, f"{self.several(list(carries))} = {c}", nesting,
                   lambda: self.step(carries))  # fmt: skip
        self.taken(f"gg.fori_loop({lo}, {hi}, {body}, {self.several(inits)})", carries)

    def scan(self, nesting: int) -> None:
        inits, carries = self.carries()
        body, c, x = self.fresh("body"), self.fresh("c"), self.fresh("x")
        array = self.name(lambda kind: kind.letter == "f" and kind.shape)
        rows, how = {}, f"length={self.choose(['0', '1', '3', '3', self.whole() + ' % 4'])}"
        if array and self.chance(70):
            rows, how = {x: Kind("f", self.scope[array].shape[1:])}, array
        if self.chance(35):
            how += ", reverse=True"
        y = Kind("f", self.choose(SHAPES[:4])) if self.chance(60) and how[:8] != "length=0" else None
        self.block(f"def {body}({c}, {x}):", {**carries, **rows}, f"{self.several(list(carries))} = {c}", nesting,
                   lambda: f"{self.step(carries)}, {self.value(y) if y else None}")  # fmt: skip
        ys = self.fresh("y")
        self.taken(f"gg.scan({body}, {self.several(inits)}, {how})", carries, f"{{}}, {ys}")
        if y and rows:
            self.scope[ys] = Kind("f", (self.scope[array].shape[0], *y.shape))
        elif y:
            self.bind(f"0.3 * total({ys}, {y.shape})", y)

    def while_(self, nesting: int) -> None:
        inits, carries = self.carries()
        test, body, c, t = self.fresh("test"), self.fresh("body"), self.fresh("c"), self.fresh("t")
        carries, inits = {**carries, t: WHOLE}, [*inits, self.choose(["0", "0", "1", self.whole()])]
        unpack = f"{self.several(list(carries))} = {c}"
        more = self.choose(["{t} < 4", "{t} < 0", "{t} < {k}", "({t} < 5) & ({p})"])
        self.line(f"def {test}({c}):")
        self.line(f"    {unpack}")
        outer = self.scope
        self.scope = {**outer, **carries}
        self.line(f"    return {more.format(t=t, k=self.whole(), p=self.predicate())}")
        self.scope = outer

        def result() -> str:
            moved = {n: kind for n, kind in carries.items() if n != t}
            return f"{self.step(moved)[:-1]} {t} + 1)"

        self.block(f"def {body}({c}):", carries, unpack, nesting, result)
        self.taken(f"gg.while_loop({test}, {body}, {self.several(inits)})", carries)

    def branch(self, nesting: int) -> None:
        inits, operands = self.carries()
        results = {self.fresh(): self.choose([*(Kind("f", s) for s in SHAPES), WHOLE]) for _ in range(2)}
        then, other, pred = self.fresh("then"), self.fresh("other"), self.predicate()
        for side in (then, other):
            self.block(f"def {side}({', '.join(operands)}):", operands, None, nesting,
                       lambda: self.several([self.value(kind) for kind in results.values()]))  # fmt: skip
        self.line(f"{self.several(list(results))} = gg.cond({pred}, {then}, {other}, {', '.join(inits)})")
        self.scope |= results


def program(choose: Callable, length: int, nesting: int = 2) -> tuple[str, list]:
    """The text of f and of loss, and arguments."""
    writer = Writer(choose)
    rng = np.random.default_rng(choose(range(1000)))
    args: dict = {}
    for k, shape in enumerate([(), choose(SHAPES[2:]), choose(SHAPES)]):
        args[f"x{k}"] = rng.uniform(-1.5, 1.5, shape) if shape else float(rng.uniform(-1.5, 1.5))
        writer.scope[f"x{k}"] = Kind("f", shape)
    args["n0"] = choose([0, 1, 2, 3, 4])
    writer.scope["n0"] = WHOLE
    before = set(writer.scope)
    writer.choose([writer.fori, writer.scan, writer.while_, writer.branch])(nesting)
    for _ in range(length - 1):
        writer.statement(nesting)
    made = [n for n in writer.scope if n not in before]
    return text_of(writer.lines, list(args), made, writer.scope), list(args.values())


def text_of(lines: list[str], args: list[str], made: list[str], scope: dict[str, Kind]) -> str:
    """f returns what nothing else uses; loss is a number made of its floats."""
    body = "\n".join(lines)
    last = [n for n in made if len(re.findall(rf"\b{n}\b", body)) == 1]
    last = last or made[-1:]
    reals = [k for k, n in enumerate(last) if scope[n].letter == "f"]
    terms = " + ".join(f"np.sum(np.sin(outs[{k}] + {k + 0.3}))" for k in reals) or "0.5 * x0"
    names = ", ".join(args)
    return (
        f"def f({names}):\n{body}\n    return ({', '.join(last)},)\n\n"
        f"def loss({names}):\n    outs = f({names})\n    return {terms}\n"
    )
