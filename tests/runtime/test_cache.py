import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from gradgen.errors import CacheWarning
from gradgen.runtime import cache

posix = pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs owners and modes of files")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADGEN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "_warned", False)
    return tmp_path / "cache"


def put(home, name, body=b"x = 1\n"):
    path = cache.folder() / f"{name}.py"
    cache.write_whole(path, cache.seal(body))
    return path


@posix
def test_the_folder_is_made_for_its_owner_alone(home):
    assert cache.folder() == home
    assert home.stat().st_mode & 0o777 == 0o700


def test_a_changed_environment_variable_takes_effect(home, tmp_path, monkeypatch):
    cache.folder()
    monkeypatch.setenv("GRADGEN_CACHE_DIR", str(tmp_path / "other"))
    assert cache.folder() == tmp_path / "other"


def test_without_the_variable_it_is_the_users_cache_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("GRADGEN_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.folder().name == "gradgen"


def test_a_folder_that_cannot_be_made_is_warned_of_once(home):
    home.write_text("in the way")
    with pytest.warns(CacheWarning, match="can't hold compiled modules"):
        assert cache.folder() is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cache.folder() is None


@posix
def test_a_folder_that_others_may_write_to_is_not_used(home):
    home.mkdir()
    home.chmod(0o777)
    with pytest.warns(CacheWarning, match="chmod go-w"):
        assert cache.folder() is None


@posix
def test_a_folder_of_someone_else_is_not_used(home, monkeypatch):
    cache.folder()
    monkeypatch.setattr(os, "getuid", lambda: home.stat().st_uid + 1)
    with pytest.warns(CacheWarning, match="someone else"):
        assert cache.folder() is None


@posix
def test_files_are_written_for_their_owner_and_read_back(home):
    path = put(home, "f")
    assert path.stat().st_mode & 0o777 == 0o600
    assert cache.is_sealed(cache.read_trusted(path))


@posix
@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_may_write_to_is_not_read(home, mode):
    path = put(home, "f")
    path.chmod(mode)
    assert cache.read_trusted(path) is None


@posix
def test_a_link_is_not_followed(home, tmp_path):
    path = put(home, "f")
    link = home / "g.py"
    link.symlink_to(path)
    assert cache.read_trusted(link) is None


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b + b"\n", lambda b: b[5:], lambda b: b""])
def test_damage_breaks_the_seal(damage):
    assert not cache.is_sealed(damage(cache.seal(b"x = 1\n")))


def test_a_write_that_fails_leaves_nothing(home, monkeypatch):
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        put(home, "f")
    assert list(home.iterdir()) == []


def test_info_counts_modules_and_bytes(home):
    path = put(home, "f")
    (home / "__pycache__").mkdir()
    (home / "__pycache__" / "gradgen-f.f-5.py311.nbi").write_bytes(b"1234")
    os.utime(path, (0, 0))
    info = cache.info()
    assert (info["path"], info["modules"], info["bytes"]) == (home, 1, path.stat().st_size + 4)
    assert info["age"] > 1e9


def test_clear_removes_modules_and_what_belongs_to_them_and_nothing_else(home):
    put(home, "f")
    put(home, "ff")
    (home / "f.npz").touch()
    (home / "__pycache__").mkdir()
    for name in ("gradgen-f.f-5.py311.nbi", "ff.ff-5.py311.1.nbc", "mine.g-5.py311.nbi"):
        (home / "__pycache__" / name).touch()
    (home / "mine.py").write_text("x = 1\n")
    (home / "mine.npz").touch()
    assert cache.clear() == 2
    left = sorted(p.relative_to(home).as_posix() for p in home.rglob("*") if p.is_file())
    assert left == ["__pycache__/mine.g-5.py311.nbi", "mine.npz", "mine.py"]
    assert cache.info()["modules"] == 0


def test_the_private_folder_goes_with_its_process_and_not_with_a_fork(tmp_path):
    script = "\n".join([
        "import os, sys",
        "from gradgen.runtime import cache",
        "home = cache.private_folder()",
        "if hasattr(os, 'fork'):",
        "    child = os.fork()",
        "    if child == 0: sys.exit(home == cache.private_folder())",
        "    assert os.waitpid(child, 0)[1] == 0",
        "assert home.is_dir()",
        "print(home)",
    ])  # fmt: skip
    root = str(Path(cache.__file__).parents[2])
    run = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not Path(run.stdout.strip()).exists()
