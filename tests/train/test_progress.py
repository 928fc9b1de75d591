import io
import sys

import pytest

from gradgen.train import progress
from gradgen.train.progress import Progress, RichProgress, TqdmProgress, bar, words

FACTS = {"loss": 0.31234, "accuracy": 0.94, "val_loss": 0.345, "val_accuracy": 0.937}


def test_the_words_name_loss_metric_and_speed():
    assert words(FACTS, 1_234_567) == "loss 0.312 (0.345)  accuracy 0.94 (0.937)  1.23M samples/s"
    assert words({"loss": 2.0}, 950) == "loss 2  950 samples/s"


def test_nothing_is_shown_where_nobody_watches(capsys):
    for shown in (bar(True, 3, 10), bar(False, 3, 10)):
        assert type(shown) is Progress
        with shown as silent:
            silent.report(0, 10, FACTS, 1e3)
    assert capsys.readouterr() == ("", "")


def test_rich_draws_the_bar_on_a_terminal():
    console = pytest.importorskip("rich.console").Console(file=io.StringIO(), force_terminal=True, width=120)
    with RichProgress(2, 10, console) as shown:
        shown.report(0, 10, FACTS, 1e3)
        shown.report(1, 10, FACTS, 1e3)
    assert "epoch 2/2" in console.file.getvalue()
    assert "accuracy 0.94 (0.937)" in console.file.getvalue()


def test_tqdm_draws_the_bar_where_rich_is_missing(monkeypatch):
    class Tqdm:
        def __init__(self, total, bar_format):
            self.total, self.n, self.said = total, 0, []

        def set_description_str(self, text, refresh):
            self.said.append(text)

        set_postfix_str = set_description_str

        def update(self, by):
            self.n += by

        def close(self):
            self.said.append("closed")

    with TqdmProgress(2, 10, Tqdm) as shown:
        shown.report(0, 5, FACTS, 1e3)
        shown.report(1, 10, FACTS, 1e3)
    assert shown.bar.n == shown.bar.total == 20
    assert shown.bar.said[-3:] == ["epoch 2/2", words(FACTS, 1e3), "closed"]


def test_without_either_package_there_is_no_bar(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.console", None)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert type(bar(True, 1, 1)) is Progress


def test_pictures_are_drawn_at_most_every_tenth_of_a_second_but_the_last_always(monkeypatch):
    now, drawn = [0.0], []
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    shown = Progress(2, 10)
    monkeypatch.setattr(shown, "draw", lambda done, epoch, text: drawn.append(done))
    for at, epoch, rows in ((0.0, 0, 1), (0.05, 0, 2), (0.2, 0, 10), (0.21, 1, 5), (0.22, 1, 10)):
        now[0] = at
        shown.report(epoch, rows, FACTS, 1e3)
    assert drawn == [1, 10, 20]
