import os
import subprocess
import sys
from pathlib import Path

import pytest

import gradgen

pytestmark = pytest.mark.numba

FORMULA = """
from tests.runtime.stand_in import Named
f = Named("formula", "f", "x", "{formula}", {options})
"""

INNER = """
from numba import njit
from formula import f

@njit(cache=True)
def direct(x):
    return f(x)

@njit(cache=True)
def adapted(x):
    return f(x.T)

@njit(cache=True)
def apply(g, x):
    return g(x)

def closure():
    g = f
    @njit(cache=True)
    def inside(x):
        return g(x)
    return inside

inside = closure()
"""

OUTER = """
import sys
import numpy as np
from numba import njit
import inner

@njit(cache=True)
def outer(x):
    return inner.direct(x) * 10

for name in sys.argv[1:]:
    function = outer if name == "outer" else getattr(inner, name)
    x = np.ones((1, 2)) if name == "adapted" else 1.0
    value = function(inner.f, x) if name == "apply" else function(x)
    print(np.sum(value), sum(function.stats.cache_hits.values()))
"""


@pytest.fixture
def user(tmp_path):
    """A user's program, each call a new process: for each name, the value, and if its code came from Numba's cache."""
    (tmp_path / "inner.py").write_text(INNER)
    (tmp_path / "outer.py").write_text(OUTER)

    def run(*names, formula="x + 1.0", options=""):
        (tmp_path / "formula.py").write_text(FORMULA.format(formula=formula, options=options))
        path = [str(Path(gradgen.__path__[0]).parent), str(Path(__file__).parent)]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(path), "GRADGEN_CACHE_DIR": str(tmp_path / "cache"),
                                    "PYTHONDONTWRITEBYTECODE": "1"}  # fmt: skip
        command = [sys.executable, "-W", "error", str(tmp_path / "outer.py"), *names]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return [line.split() for line in done.stdout.splitlines()]

    run.folder = tmp_path
    return run


def test_a_users_cached_code_is_used_until_the_gradgen_function_changes(user):
    names = "direct", "adapted", "apply", "inside"
    new = [["2.0", "0"], ["4.0", "0"], ["2.0", "0"], ["2.0", "0"]]
    assert user(*names) == new
    assert user(*names) == [[value, "1"] for value, _ in new]
    assert user(*names, formula="x + 3.0") == [["4.0", "0"], ["8.0", "0"], ["4.0", "0"], ["4.0", "0"]]


def test_the_check_reaches_callers_of_code_that_came_from_the_cache(user):
    user("direct")
    assert user("outer") == [["20.0", "0"]]  # links the cached code of `direct`
    assert user("outer") == [["20.0", "1"]]
    assert user("outer", formula="x + 3.0") == [["40.0", "0"]]


def test_users_code_does_without_the_cache_folder(user):
    user("direct")
    for file in (user.folder / "cache").rglob("*.*"):
        file.unlink()
    assert user("direct") == [["2.0", "1"]]


def test_a_function_that_now_fails_leads_to_its_own_error(user):
    user("direct")
    with pytest.raises(AssertionError, match="DifferentiationError: grad of"):
        user("direct", options="refuse='f'")
