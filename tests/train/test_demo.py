import re

import numpy as np
import pytest

from gradgen import optim
from gradgen.train import demo, fit

pytest.importorskip("sklearn")
pytestmark = pytest.mark.numba


@pytest.fixture(scope="module")
def said():
    """What the demonstration prints."""
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert demo.main() == 0
    return out.getvalue()


def test_it_reads_at_least_97_of_100_digits_it_has_not_seen(said):
    (line,) = [line for line in said.splitlines() if "accuracy" in line]
    assert float(re.search(r"([\d.]+)%", line)[1]) >= 97


def test_it_shows_pictures_with_predictions(said):
    assert sum(line.count("\u2588\u2588") > 0 for line in said.splitlines()) >= 8
    assert said.count("reads ") == len(demo.SHOWN)


def test_it_is_faster_than_the_tape_and_says_where_its_code_is(said):
    assert re.search(r"interpreted tape +[\d,]+ samples/s: gradgen is (\d+) times", said)
    path = re.search(r"generated module +(.*\.py)", said)[1]
    with open(path) as file:  # noqa: PTH123
        assert "def loss_step_" in file.read()


def test_a_network_learns_digits_in_few_epochs(said):
    learned, held_out = demo.digits()
    result = fit(demo.loss, demo.MODEL.init(1), learned, demo.OPTIMIZER, 5, validation=held_out, metric=demo.accuracy)
    assert result.history["val_metric"][-1] > 0.93
    assert result.history["loss"][-1] < 0.5 * result.history["loss"][0]
    read = np.argmax(demo.MODEL(result.params, held_out[0]), axis=1)
    assert result.history["val_metric"][-1] == pytest.approx(np.mean(read == held_out[1]))


def test_pictures_stand_side_by_side_in_plain_characters_too():
    images = np.stack([np.zeros(64), np.ones(64)])
    lines = demo.pictures(images, demo.PLAIN).split("\n")
    assert len(lines) == 8
    assert lines[0] == " " * 18 + "@" * 16


def test_without_the_digits_it_says_what_to_install(monkeypatch, capsys):
    def missing():
        raise ModuleNotFoundError("sklearn")

    monkeypatch.setattr(demo, "digits", missing)
    assert demo.main() == 1
    assert "pip install scikit-learn" in capsys.readouterr().err


def test_the_optimizer_decays_over_exactly_the_steps_of_the_demonstration():
    (x, _), _ = demo.digits()
    assert demo.OPTIMIZER.lr == optim.cosine(4e-3, steps=demo.EPOCHS * (len(x) // demo.BATCH))
