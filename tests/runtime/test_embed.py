import ast
import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from gradgen.codegen.module import runtime_imports
from gradgen.errors import ArgumentError
from gradgen.runtime.embed import runtime_source

VECMATH = [name + bits for name in ("exp", "expm1", "log", "log1p", "sigmoid", "tanh") for bits in ("32", "64")]
NAMES = [*VECMATH, "carve", "grown", "opaque", "add_matmul"]


def parsed(names):
    """(imports, definitions) of the text of these functions."""
    body = ast.parse(runtime_source(names)).body
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert body[: len(imports)] == imports
    return imports, body[len(imports) :]


def defined(nodes):
    return [node.name if isinstance(node, ast.FunctionDef) else node.targets[0].id for node in nodes]


def imported(nodes):
    return {(alias.asname or alias.name).partition(".")[0] for node in nodes for alias in node.names}


def test_every_function_can_be_had():
    assert set(NAMES) <= set(defined(parsed(NAMES)[1]))


@pytest.mark.parametrize("name", NAMES)
def test_text_holds_what_the_function_needs_and_nothing_else(name):
    imports, definitions = parsed([name])
    names = defined(definitions)
    assert len(names) == len(set(names))
    used = {n.id for d in definitions for n in ast.walk(d) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    assert set(names) - used == {name}
    assert imported(imports) <= used


@pytest.mark.parametrize("name", NAMES)
def test_definitions_come_before_the_statements_that_use_them(name):
    imports, definitions = parsed([name])
    names, seen = {*defined(definitions), *imported(imports)}, imported(imports)
    for node in definitions:
        runs_now = node.decorator_list if isinstance(node, ast.FunctionDef) else [node.value]
        used = {part.id for root in runs_now for part in ast.walk(root) if isinstance(part, ast.Name)}
        assert used & names <= seen
        seen.add(*defined([node]))


def test_no_local_name_hides_a_definition():
    imports, definitions = parsed(NAMES)
    names = {*defined(definitions), *imported(imports)}
    for function in definitions:
        if isinstance(function, ast.FunctionDef):
            stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
            assert not (stored | {arg.arg for arg in function.args.args}) & names


def test_only_math_numpy_and_the_compiler_are_imported():
    assert imported(parsed(VECMATH)[0]) == {"math", "numba", "np"}
    lines = runtime_source(NAMES).splitlines()
    roots = {line.split()[1].partition(".")[0] for line in lines if line.startswith(("import ", "from "))}
    assert roots == {"math", "numba", "numpy", "llvmlite"}


def test_imports_name_the_module_of_each_function():
    assert runtime_imports(["tanh64", "carve", "exp32"]) == [
        "from gradgen.runtime.arrays import carve", "from gradgen.runtime.vecmath import exp32, tanh64",
    ]  # fmt: skip
    for line in runtime_imports(NAMES):
        exec(line, {})


def test_no_names_give_no_text():
    assert runtime_source([]) == ""
    assert runtime_imports([]) == []


def test_unknown_name_is_an_argument_error():
    with pytest.raises(ArgumentError, match="cosh64"):
        runtime_source(["exp64", "cosh64"])


def test_printing_needs_no_compiler():
    code = (
        "import sys; from gradgen.runtime import embed; embed.runtime_source(['exp64']); print('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.numba
def test_saved_text_computes_the_same_bits(tmp_path):
    import numba

    from gradgen.runtime import vecmath

    names = ["expm132", "log64", "tanh64"]
    path = tmp_path / "saved.py"
    path.write_text(runtime_source(names))
    spec = importlib.util.spec_from_file_location("saved", path)
    saved = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(saved)
    for name in names:
        x = np.geomspace(1e-30, 80, 1000).astype(f"f{int(name[-2:]) // 8}")
        functions = getattr(vecmath, name), getattr(saved, name)
        loops = [numba.njit(lambda x, f=f: np.array([f(element) for element in x])) for f in functions]
        np.testing.assert_array_equal(loops[0](x), loops[1](x))
