"""Each part of gradgen imports only what stands above it: the pipeline's order, as a test."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "gradgen"
# fmt: off
ORDER = [
    "errors", "ir", "ops", "trace", "tape", "differentiate", "passes", "schedule", "codegen", "runtime", "pipeline",
    "dispatch", "binding", "running", "compiled", "keeping", "pullback", "api", "testing", "nn", "optim", "train", "cli",
]
# fmt: on
ALSO = {"errors", "ir", "trace", "ops", "api"}
ONLY = {"nn": ALSO, "optim": ALSO}
FILES = [p for p in sorted(ROOT.rglob("*.py")) if p.name != "__main__.py" and p != ROOT / "__init__.py"]


def layer(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(tree) -> set[str]:
    """The modules that the code imports, functions included; not what only type checkers read."""
    found = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{a.name}" for a in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        found |= imported(node)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_layer_imports_only_what_stands_above_it(path):
    own = layer(path)
    used = {name.split(".")[1] for name in imported(ast.parse(path.read_text())) if name.startswith("gradgen.")}
    allowed = ONLY.get(own, set(ORDER[: ORDER.index(own)])) | {own, "__version__"}
    assert used <= allowed


def at_import(tree: ast.Module) -> set[str]:
    return {n.split(".")[0] for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))
            for n in imported(ast.Module([node], []))}  # fmt: skip


@pytest.mark.parametrize("path", [p for p in FILES if layer(p) != "runtime"], ids=lambda p: str(p.relative_to(ROOT)))
def test_numba_is_imported_under_runtime_alone(path):
    assert "numba" not in at_import(ast.parse(path.read_text()))


def test_importing_gradgen_loads_neither_numba_nor_scipy():
    code = "import sys, gradgen; assert not {'numba', 'scipy'} & {*sys.modules}, sorted(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT.parent)
