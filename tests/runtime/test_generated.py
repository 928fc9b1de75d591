import importlib
import sys

import pytest

from gradgen.runtime import cache, generated

pytestmark = pytest.mark.numba


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADGEN_CACHE_DIR", str(tmp_path))
    return tmp_path


def fetch(name):
    full = f"{generated.__name__}.{name}"
    sys.modules.pop(full, None)
    return importlib.import_module(full)


def test_a_sealed_file_can_be_imported_by_name(home):
    cache.write_whole(home / "g_named.py", cache.seal(b"x = 1\n"))
    assert fetch("g_named").x == 1


@pytest.mark.parametrize("contents", [b"x = 1\n", cache.seal(b"x = 1\n") + b"x = 2\n", b""])
def test_anything_else_is_not_imported(home, contents):
    cache.write_whole(home / "g_bad.py", contents)
    with pytest.raises(FileNotFoundError, match="g_bad"):
        fetch("g_bad")


def test_a_missing_module_is_a_missing_file(home):
    with pytest.raises(FileNotFoundError, match="g_missing"):
        fetch("g_missing")


def test_damaged_code_of_an_explicit_signature_is_compiled_again(home):
    text = b"from numba import njit\n\n@njit('f8(f8)', cache=True)\ndef g_explicit(x):\n    return x + 1\n"
    cache.write_whole(home / "g_explicit.py", cache.seal(text))
    assert fetch("g_explicit").g_explicit(1.0) == 2.0
    (index,) = home.glob("__pycache__/*.nbi")
    index.write_bytes(index.read_bytes()[:-7])
    assert fetch("g_explicit").g_explicit(1.0) == 2.0


def test_other_names_are_left_to_others():
    assert generated.Finder().find_spec("numpy.linalg") is None
