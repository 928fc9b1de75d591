"""Files and functions stay small enough to read."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "gradgen"
FILES = pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))


@FILES
def test_a_file_has_at_most_300_lines(path):
    assert len(path.read_text().splitlines()) <= 300


@FILES
def test_a_function_has_at_most_60_lines(path):
    functions = [
        n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    assert [f.name for f in functions if f.end_lineno - f.lineno >= 60] == []
