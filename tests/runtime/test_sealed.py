import pickle
import sys
from pathlib import Path

import pytest

from gradgen.errors import CacheWarning
from gradgen.runtime import cache, generated
from gradgen.runtime.sealed import SealedCache
from tests.runtime.stand_in import Formula

pytestmark = pytest.mark.numba


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADGEN_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(cache, "_warned", False)
    return tmp_path


def fresh(formula):
    """The kernel as a new process would load it."""
    for name in [n for n in sys.modules if n.startswith(generated.__name__ + ".")]:
        del sys.modules[name]
    return Formula("x", formula).kernel()


def counts(kernel):
    return sum(kernel.stats.cache_hits.values()), sum(kernel.stats.cache_misses.values())


def truncate(path):
    path.write_bytes(path.read_bytes()[:-10])


def flip(path):
    contents = bytearray(path.read_bytes())
    contents[len(contents) // 2] ^= 1
    path.write_bytes(contents)


def test_a_second_process_starts_warm(home):
    assert fresh("x + 1")(1.0) == 2.0
    kernel = fresh("x + 1")
    assert kernel(1.0) == 2.0
    assert counts(kernel) == (1, 0)


@pytest.mark.parametrize("damage", [truncate, flip, lambda path: path.write_bytes(b""), Path.unlink])
@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_damaged_machine_code_is_compiled_again_and_replaced(home, suffix, damage):
    assert fresh("x + 2")(1.0) == 3.0
    (path,) = home.glob("__pycache__/*" + suffix)
    damage(path)
    kernel = fresh("x + 2")
    assert kernel(1.0) == 3.0
    assert counts(kernel) == (0, 1)
    again = fresh("x + 2")
    assert (again(1.0), counts(again)) == (3.0, (1, 0))


def test_code_for_another_signature_is_not_taken(home):
    kernel = fresh("x + 3")
    assert (kernel(1), kernel(1.5)) == (4, 4.5)
    first, second = sorted(home.glob("__pycache__/*.nbc"))
    second.write_bytes(first.read_bytes())  # what two processes can bring about, that save at once
    kernel = fresh("x + 3")
    assert (kernel(1.5), kernel(1)) == (4.5, 4)


def test_code_for_another_cpu_is_not_taken(home):
    assert fresh("x + 4")(1.0) == 5.0
    (path,) = home.glob("__pycache__/*.nbc")
    digest, cpu, body = pickle.loads(path.read_bytes())
    path.write_bytes(pickle.dumps((digest, (*cpu[:-1], "+other"), body)))
    kernel = fresh("x + 4")
    assert kernel(1.0) == 5.0
    assert counts(kernel) == (0, 1)


def test_what_can_not_be_saved_is_used_all_the_same(home, monkeypatch):
    monkeypatch.setattr(SealedCache, "_save_overload", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.warns(CacheWarning, match="disk full"):
        assert fresh("x + 5")(1.0) == 6.0


def test_numba_cache_dir_takes_the_machine_code(home, tmp_path, monkeypatch):
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path / "numba"))
    assert fresh("x + 6")(1.0) == 7.0
    assert not list(home.glob("__pycache__/*.nbc"))
    assert list((tmp_path / "numba").rglob("gradgen-*.nbc"))
