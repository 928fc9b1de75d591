"""What training hands back: the parameters it found, and how it went."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradgen.runtime.kernel import Kernel


@dataclass(frozen=True, repr=False)
class FitResult:
    """The end of a `fit`, or its state so far where a callback gets it.

    params: a tree like the one given, in memory of its own. history: one list per quantity, one entry per epoch that
    was finished: "loss" and "metric" (means over the rows as they were met, so each of its own moment), "val_loss"
    and "val_metric" (at the end of the epoch; with validation data), "seconds" and "samples_per_second" (training
    alone). Without a metric its lists are missing.
    interrupted: Ctrl-C ended it. stopped: why it ended before its last epoch, in words; "" if it did not.
    kernel: the compiled step, whose `source` and `path` show what was run.
    """

    params: Any
    history: dict[str, list[float]] = field(default_factory=dict)
    interrupted: bool = False
    stopped: str = ""
    kernel: Kernel | None = None

    @property
    def epochs(self) -> int:
        """Epochs that were finished."""
        return len(self.history["loss"])

    def __repr__(self) -> str:
        last = "".join(f", {name}={values[-1]:.4g}" for name, values in self.history.items() if values)
        return f"FitResult(epochs={self.epochs}{last}{f', stopped={self.stopped!r}' if self.stopped else ''})"
