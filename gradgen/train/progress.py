"""The progress bar of training: rich's where it is installed, else tqdm's, else none. Silent where nobody watches,
that is where standard error is no terminal (a notebook counts as one for rich).

    with bar(show, epochs, rows) as progress:
        progress.report(epoch, rows_done, {"loss": 0.31, "accuracy": 0.94}, samples_per_second)
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress

PAUSE = 0.1  # seconds between two pictures: drawing more often would cost more than small epochs do


class Progress:
    """Draws nothing: the bar where there is none, and what the others share."""

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

    def draw(self, done: int, epoch: int, text: str) -> None:
        return None


class RichProgress(Progress):
    """The bar of the package rich."""

    def __init__(self, epochs: int, rows: int, console):
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        super().__init__(epochs, rows)
        columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[words]}"), TimeRemainingColumn()
        self.bar = Bar(*columns, console=console)
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
    """loss 0.312  accuracy 0.941  1,234,567 samples/s."""
    return "  ".join([*(f"{name} {value:.4g}" for name, value in facts.items()), f"{speed:,.0f} samples/s"])
