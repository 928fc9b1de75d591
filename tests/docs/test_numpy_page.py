import re
from pathlib import Path

import numpy as np

import gradgen.trace  # fills FUNCTIONS
from gradgen.ops.record import BY_NUMPY
from gradgen.trace.protocol import FUNCTIONS, Traced

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "numpy.md").read_text("utf-8")


def between(name):
    return PAGE.split(f"<!-- {name} -->")[1].split(f"<!-- /{name} -->")[0]


def names_of(functions):
    return {function.__name__ for function in functions if callable(function)}


def test_every_traced_function_is_listed_and_every_listed_function_is_traced():
    assert gradgen.trace.shapes
    listed = {getattr(np, name) for name in re.findall(r"`(\w+)`", between("traced"))}
    traced = {function for function in (*BY_NUMPY, *FUNCTIONS) if callable(function)}
    assert names_of(listed) == names_of(traced)


def test_every_method_is_listed():
    methods = {name for name in dir(Traced) if not name.startswith("_")} - {"type", "weak", "item", "tolist"}
    assert set(re.findall(r"`(\w+)`", between("methods"))) == methods
