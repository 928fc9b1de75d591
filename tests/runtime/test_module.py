import inspect
import linecache
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import gradgen
from gradgen.errors import CacheWarning
from gradgen.runtime import cache, generated, module

pytestmark = pytest.mark.numba

TEXT = "def f(x):\n    return x + 1\n"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADGEN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "_warned", False)
    yield tmp_path / "cache"
    forget()


def forget():
    """As a new process would see it."""
    for name in [n for n in sys.modules if n.startswith(generated.__name__ + ".")]:
        del sys.modules[name]


def run(script, home):
    """Start a new process that runs the script."""
    path = os.pathsep.join([str(Path(gradgen.__path__[0]).parent), str(Path(__file__).parent)])
    environment = os.environ | {"PYTHONPATH": path, "GRADGEN_CACHE_DIR": str(home)}
    command = [sys.executable, "-W", "error", "-c", script]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_module_is_a_file_that_python_tools_find(home):
    made = module.load("m_tools", TEXT)
    assert made.f(1) == 2
    assert Path(made.__file__) == home / "m_tools.py"
    assert inspect.getsource(made.f) == TEXT
    assert linecache.getline(made.__file__, made.f.__code__.co_firstlineno) == "def f(x):\n"
    assert pickle.loads(pickle.dumps(made.f)) is made.f


def test_the_same_text_is_imported_once(home):
    assert module.load("m_once", TEXT) is module.load("m_once", TEXT)


def test_another_text_under_the_same_name_replaces_it(home):
    module.load("m_replaced", TEXT)
    assert module.load("m_replaced", TEXT.replace("1", "2")).f(1) == 3


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs modes of files")
def test_an_unharmed_file_is_left_alone(home):
    path = Path(module.load("m_kept", TEXT).__file__)
    before = path.stat()
    forget()
    module.load("m_kept", TEXT)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damage", [
    lambda path: path.write_bytes(path.read_bytes()[:-3]),
    lambda path: path.write_text("raise SystemExit('not ours')\n"),
    lambda path: path.write_bytes(cache.seal(b"raise SystemExit('sealed, but not this text')\n")),
    lambda path: path.write_bytes(b""),
    lambda path: path.chmod(0o666),
])  # fmt: skip
def test_a_damaged_or_foreign_file_is_rebuilt(home, damage):
    path = Path(module.load("m_damaged", TEXT).__file__)
    right = path.read_bytes()
    damage(path)
    forget()
    assert module.load("m_damaged", TEXT).f(1) == 2
    assert path.read_bytes() == right
    assert cache.read_trusted(path) == right


def test_a_text_that_fails_leaves_no_module(home):
    with pytest.raises(ZeroDivisionError):
        module.load("m_fails", "x = 1 / 0\n")
    assert generated.__name__ + ".m_fails" not in sys.modules


def test_constants_are_kept_beside_the_text(home):
    text = f"import numpy as np\n\nwith {module.CONSTANTS} as constants:\n    w, s = constants['w'], constants['s']\n"
    constants = {"w": np.arange(6, dtype=np.float32).reshape(2, 3).T, "s": np.array(2.5)}
    path = home / "m_constants.npz"
    for damage in (b"", b"PK not an archive"):
        made = module.load("m_constants", text, constants)
        np.testing.assert_array_equal(made.w, constants["w"])
        assert (made.w.dtype, made.s.shape) == (np.float32, ())
        path.write_bytes(damage)
        forget()
    np.testing.assert_array_equal(module.load("m_constants", text, constants).w, constants["w"])


def test_without_a_usable_folder_everything_works_uncached(home):
    home.write_text("in the way")
    with pytest.warns(CacheWarning):
        made = module.load("m_private", TEXT)
    assert made.f(1) == 2
    assert Path(made.__file__).parent == cache.private_folder()


def test_where_numbas_folder_is_not_usable_everything_works_uncached(home):
    home.mkdir(mode=0o700)
    (home / "__pycache__").touch()
    with pytest.warns(CacheWarning, match="m_blocked"):
        made = module.load("m_blocked", TEXT)
    assert Path(made.__file__).parent == cache.private_folder()


def test_threads_get_one_module(home):
    got = []
    threads = [threading.Thread(target=lambda: got.append(module.load("m_threads", TEXT))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, got))) == 1


def test_racing_processes_are_all_right(home):
    script = "\n".join([
        "from stand_in import Formula",
        "import numpy as np",
        "kernel = Formula('x', '2.0 * x + 1.0').kernel()",
        "print(kernel(3.0), kernel(3), kernel(np.ones(2)).tolist())",
    ])  # fmt: skip
    racers = [run(script, home) for _ in range(3)]
    assert [(r.communicate(timeout=60)) for r in racers] == [("7.0 7.0 [3.0, 3.0]\n", "")] * 3


def test_a_function_of_a_module_can_be_sent_to_another_process(home):
    kernel = module.load("m_sent", "from numba import njit\n\n@njit\ndef f(x):\n    return x + 1\n").f
    script = f"import pickle\nprint(pickle.loads({pickle.dumps(kernel)!r})(1))"
    assert run(script, home).communicate(timeout=60) == ("2\n", "")


def test_the_environment_digest_sees_an_edit_of_gradgen(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    before = list(module._sources(tmp_path))
    (tmp_path / "a.py").write_text("x = 12\n")
    assert before != list(module._sources(tmp_path))
    assert module.environment_digest() == module.environment_digest.__wrapped__()
