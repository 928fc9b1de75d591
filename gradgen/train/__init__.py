"""Training: gg.fit, whose epochs are compiled loops, and the demonstration that reads digits."""

from gradgen.train.fit import fit
from gradgen.train.result import FitResult

__all__ = ["FitResult", "fit"]
