import ast
import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from gradgen.errors import ArgumentError
from gradgen.runtime.embed import vecmath_imports, vecmath_names, vecmath_source

NAMES = [name + bits for name in ("exp", "expm1", "log", "log1p", "sigmoid", "tanh") for bits in ("32", "64")]


def defined(text):
    return [node.name if isinstance(node, ast.FunctionDef) else node.targets[0].id for node in ast.parse(text).body]


def test_every_function_can_be_had():
    assert set(NAMES) <= set(defined(vecmath_source(NAMES, imports=False)))


@pytest.mark.parametrize("name", NAMES)
def test_text_holds_what_the_function_needs_and_nothing_else(name):
    text = vecmath_source([name], imports=False)
    names = defined(text)
    assert len(names) == len(set(names))
    used = {
        node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    assert set(names) - used == {name}
    assert vecmath_names([name]) == set(names) | {
        line.split()[-1].partition(".")[0] for line in vecmath_imports([name])
    }


@pytest.mark.parametrize("name", NAMES)
def test_definitions_come_before_the_statements_that_use_them(name):
    seen = set()
    for node in ast.parse(vecmath_source([name], imports=False)).body:
        runs_now = node.decorator_list if isinstance(node, ast.FunctionDef) else [node.value]
        used = {part.id for root in runs_now for part in ast.walk(root) if isinstance(part, ast.Name)}
        assert used & vecmath_names([name]) - {"np", "numba"} <= seen
        seen.add(node.name if isinstance(node, ast.FunctionDef) else node.targets[0].id)


def test_no_local_name_hides_a_definition():
    names = vecmath_names(NAMES)
    for function in ast.parse(vecmath_source(NAMES, imports=False)).body:
        if isinstance(function, ast.FunctionDef):
            stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
            assert not (stored | {arg.arg for arg in function.args.args}) & names


def test_only_math_numba_and_numpy_are_imported():
    assert vecmath_imports(NAMES) == ("import math", "import numba.extending", "import numpy as np")
    assert "gradgen" not in vecmath_source(NAMES, imports=False)


def test_imports_stand_first_or_are_left_to_the_caller():
    lines = "\n".join(vecmath_imports(["tanh64"]))
    bare = vecmath_source(["tanh64"], imports=False)
    assert "import" not in bare
    assert vecmath_source(["tanh64"]).split() == (lines + "\n" + bare).split()


def test_carve_comes_with_its_imports():
    text = vecmath_source(["carve"])
    names = {
        alias.asname or alias.name
        for node in ast.parse(text).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert "gradgen" not in text
    assert defined(text.partition("\n\n")[2]) == ["carve"]
    assert names == {"arrayobj", "cgutils", "intrinsic", "types"}


def test_no_names_give_no_text():
    assert vecmath_source([]) == ""
    assert vecmath_imports([]) == ()


def test_unknown_name_is_an_argument_error():
    with pytest.raises(ArgumentError, match="cosh64"):
        vecmath_source(["exp64", "cosh64"])


def test_printing_needs_no_compiler():
    code = (
        "import sys; from gradgen.runtime import embed; embed.vecmath_source(['exp64']); print('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.numba
def test_saved_text_computes_the_same_bits(tmp_path):
    import numba

    from gradgen.runtime import vecmath

    names = ["expm132", "log64", "tanh64"]
    path = tmp_path / "saved.py"
    path.write_text(vecmath_source(names))
    spec = importlib.util.spec_from_file_location("saved", path)
    saved = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(saved)
    for name in names:
        x = np.geomspace(1e-30, 80, 1000).astype(f"f{int(name[-2:]) // 8}")
        functions = getattr(vecmath, name), getattr(saved, name)
        loops = [numba.njit(lambda x, f=f: np.array([f(element) for element in x])) for f in functions]
        np.testing.assert_array_equal(loops[0](x), loops[1](x))
