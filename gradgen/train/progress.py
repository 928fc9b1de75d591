"""The progress bar of training: rich's where it is installed, else tqdm's, else none. Silent where nobody watches,
that is where standard error is no terminal (a notebook counts as one for rich).

    with bar(show, epochs, rows) as progress:
        progress.report(epoch, rows_done, {"loss": 0.31, "val_loss": 0.33}, samples_per_second)
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress

PAUSE = 0.1  # seconds between two pictures: drawing more often would cost more than small epochs do
WIDE = 100  # columns that leave room for the time to come


class Progress:
    """What all bars share, and the bar where there is none: it draws nothing."""

    def __init__(self, epochs: int, rows: int):
        self.epochs, self.rows = epochs, rows
        self.drawn = float("-inf")

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_) -> None:
        return None

    def report(self, epoch: int, rows: int, facts: dict[str, float], speed: float) -> None:
        """`rows` of epoch `epoch` (from 0) are done."""
        now, done = time.monotonic(), epoch * self.rows + rows
        if now - self.drawn >= PAUSE or done == self.epochs * self.rows:
            self.drawn = now
            self.draw(done, min(epoch + 1, self.epochs), words(facts, speed))

    def draw(self, done: int, epoch: int, text: str) -> None:  # noqa: ARG002  what a bar shows
        return None


class RichProgress(Progress):
    """The bar of the package rich."""

    def __init__(self, epochs: int, rows: int, console):
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        super().__init__(epochs, rows)
        columns = [TextColumn("{task.description}"), BarColumn(bar_width=None), TextColumn("{task.fields[words]}")]
        columns += [TimeRemainingColumn()] if console.width >= WIDE else []
        self.bar = Bar(*columns, console=console, expand=True)
        self.task = self.bar.add_task(f"epoch 0/{epochs}", total=epochs * rows, words="")

    def __enter__(self) -> Progress:
        self.bar.start()
        return self

    def __exit__(self, *_) -> None:
        self.bar.stop()

    def draw(self, done: int, epoch: int, text: str) -> None:
        self.bar.update(self.task, completed=done, description=f"epoch {epoch}/{self.epochs}", words=text)


class TqdmProgress(Progress):
    """The bar of the package tqdm."""

    def __init__(self, epochs: int, rows: int, tqdm):
        super().__init__(epochs, rows)
        self.bar = tqdm(total=epochs * rows, bar_format="{desc} {bar} {postfix} {remaining}")

    def __exit__(self, *_) -> None:
        self.bar.close()

    def draw(self, done: int, epoch: int, text: str) -> None:
        self.bar.set_description_str(f"epoch {epoch}/{self.epochs}", refresh=False)
        self.bar.set_postfix_str(text, refresh=False)
        self.bar.update(done - self.bar.n)


def bar(show: bool, epochs: int, rows: int) -> Progress:
    """The best bar there is, for `epochs` passes over `rows` rows."""
    if not show:
        return Progress(epochs, rows)
    with suppress(ImportError):
        from rich.console import Console

        console = Console(stderr=True)
        watched = console.is_terminal or console.is_jupyter
        return RichProgress(epochs, rows, console) if watched else Progress(epochs, rows)
    with suppress(ImportError):
        from tqdm import tqdm

        if sys.stderr.isatty():
            return TqdmProgress(epochs, rows, tqdm)
    return Progress(epochs, rows)


def words(facts: dict[str, float], speed: float) -> str:
    """loss 0.312 (0.345)  accuracy 0.941 (0.937)  1.23M samples/s: in brackets the validation data's."""
    parts = []
    for name, value in facts.items():
        if not name.startswith("val_"):
            held_out = facts.get(f"val_{name}")
            parts.append(f"{name} {value:.3g}" + ("" if held_out is None else f" ({held_out:.3g})"))
    return "  ".join([*parts, f"{short(speed)} samples/s"])


def short(number: float) -> str:
    """12300 as 12.3k."""
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= unit:
            return f"{number / unit:.3g}{letter}"
    return f"{number:.3g}"
