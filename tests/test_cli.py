import subprocess
import sys

import pytest

from gradgen import cli

MODEL = """
import numpy as np
import gradgen as gg


def loss(w, x):
    return np.sum(np.tanh(x * w))


@gg.jit
def double(x):
    return 2 * x


class Holder:
    inner = double
"""


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "shown_model.py"
    path.write_text(MODEL)
    return path


@pytest.fixture(autouse=True)
def _same_path(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    sys.modules.pop("shown_model", None)


def run(capsys, *words):
    code = cli.main(list(words))
    out, err = capsys.readouterr()
    return code, out, err


def test_show_prints_graph_and_source_of_the_gradient_of_a_plain_function(model, capsys):
    code, out, _ = run(capsys, "show", f"{model}:loss", "--args", "np.ones((3, 4)), 2.0")
    assert code == 0
    assert "loss_grad(w: f64[3,4], x: f64[]) {" in out
    assert "def loss_grad_" in out
    assert "shown_model.py:7" in out


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["--transform", "jit"], "def loss_"),
        (["--transform", "value_and_grad", "--argnums", "1"], "def loss_value_and_grad_"),
        (["--transform", "hessian"], "def loss_hessian_"),
    ],
)
def test_show_applies_the_transformation_that_is_asked_for(model, capsys, words, name):
    code, out, _ = run(capsys, "show", f"{model}:loss", "--args", "np.ones(3), 2.0", *words)
    assert code == 0
    assert name in out


def test_show_takes_compiled_functions_as_they_are(model, capsys, monkeypatch):
    monkeypatch.chdir(model.parent)
    for place in ("shown_model:double", "shown_model:Holder.inner", "shown_model.py:double"):
        code, out, _ = run(capsys, "show", place, "--args", "np.ones(3, np.float32)")
        assert code == 0
        assert "double(x: f32[3])" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere_at_all:f"], "no module nowhere_at_all"),
        (["missing.py:f"], "no file missing.py"),
        (["f"], "is not MODULE:FUNCTION"),
        (["{model}:nothing"], "has no nothing"),
        (["{model}:loss", "--args", "np.ones("], "SyntaxError"),
        (["{model}:loss", "--args", "np.wrong(3)"], "AttributeError"),
        (["{model}:loss", "--args", "np.ones(3), np.ones(4)"], "broadcast"),
    ],
)
def test_mistakes_are_told_in_a_line_and_not_as_a_traceback(model, capsys, words, message):
    code, out, err = run(capsys, "show", *(word.format(model=model) for word in words))
    assert code == 1
    assert out == ""
    assert err.startswith("gradgen: ")
    assert message in err


def test_cache_info_and_clear_tell_of_the_folder(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("GRADGEN_CACHE_DIR", str(tmp_path / "cache"))
    from gradgen.runtime import cache

    (tmp_path / "cache").mkdir(mode=0o700)
    cache.write_whole(tmp_path / "cache" / "f_grad_0123.py", cache.seal(b"x = 1\n"))
    _, out, _ = run(capsys, "cache", "info")
    assert str(tmp_path / "cache") in out
    assert "modules  1" in out
    assert run(capsys, "cache", "clear") == (0, "1 modules removed\n", "")
    assert "modules  0" in run(capsys, "cache", "info")[1]


def test_bench_hands_its_words_to_the_harness(capsys, monkeypatch):
    import benchmarks.__main__ as harness

    monkeypatch.setattr(harness, "main", lambda words: len(words))
    assert run(capsys, "bench", "--quick", "mlp-*")[0] == 2


def test_bench_says_so_where_there_is_no_harness(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "benchmarks", None)
    monkeypatch.delitem(sys.modules, "benchmarks.__main__", raising=False)
    code, _, err = run(capsys, "bench")
    assert code == 1
    assert "checkout of gradgen" in err


def test_demo_is_a_command(monkeypatch, capsys):
    import gradgen.train.demo as demo

    monkeypatch.setattr(demo, "main", lambda: 0)
    assert run(capsys, "demo")[0] == 0


def test_without_a_command_it_prints_what_there_is(capsys):
    code, out, _ = run(capsys)
    assert code == 0
    for command in ("demo", "show", "cache", "bench"):
        assert command in out


def test_python_m_gradgen_is_the_command_and_imports_no_compiler():
    text = "import sys; sys.argv = ['gradgen']; from gradgen.cli import main; main(); print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("False\n")
    helped = subprocess.run([sys.executable, "-m", "gradgen", "--help"], capture_output=True, text=True, check=True)
    assert "usage: gradgen" in helped.stdout
