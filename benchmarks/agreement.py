"""Do two results say the same? Asked before anything is timed: a fast wrong answer is not a contender.

in:  a result and the reference, as trees (dict, tuple, list) of arrays and scalars     out: "" or what differs

Results that are dicts are compared by the names that both have, so that a contender may offer less than the reference
(a training loop with a shuffle of its own has a loss to compare, but no parameters). Each array is compared by norm,
|a - b| <= tolerance * |b|, not by element: entries near zero are differences of larger ones, and carry their errors.
"""

from collections.abc import Mapping

import numpy as np

TOLERANCES = {"float32": 1e-4, "float64": 1e-9}  # a few hundred roundings, as sums over a batch and layers collect


def disagreement(result, reference, tolerances: Mapping[str, float]) -> str:
    """An empty string if result agrees with reference, else a sentence for the table."""
    found = compare(result, reference, "", tolerances)
    return found[0] if found else ""


def compare(result, reference, path: str, tolerances: Mapping[str, float]) -> list[str]:
    """All differences below `path`, as sentences. tolerances: name at the top of the tree -> relative difference."""
    if isinstance(reference, Mapping):
        if not isinstance(result, Mapping):
            return [f"{path or 'result'} is a {type(result).__name__}, not a dict"]
        if not (common := [name for name in reference if name in result]):
            return [f"{path or 'result'} has none of {', '.join(reference)}"]
        return [d for name in common for d in compare(result[name], reference[name], f"{path}{name}", tolerances)]
    if isinstance(reference, (tuple, list)):
        if not isinstance(result, (tuple, list)) or len(result) != len(reference):
            return [f"{path or 'result'} is not a sequence of {len(reference)}"]
        parts = enumerate(zip(result, reference, strict=True))
        return [d for i, (a, b) in parts for d in compare(a, b, f"{path}[{i}]", tolerances)]
    return compare_arrays(np.asarray(result), np.asarray(reference), path, tolerances)


def compare_arrays(a: np.ndarray, b: np.ndarray, path: str, tolerances: Mapping[str, float]) -> list[str]:
    where = path or "result"
    if a.shape != b.shape:
        return [f"{where} has shape {a.shape}, expected {b.shape}"]
    allowed = tolerances.get(path.split("[")[0], TOLERANCES.get(a.dtype.name, 0.0))
    difference = float(np.linalg.norm(a.astype(float).ravel() - b.astype(float).ravel()))
    scale = float(np.linalg.norm(b.astype(float).ravel()))
    if difference <= allowed * scale:  # false for nan
        return []
    return [f"{where} differs by {difference / scale if scale else difference:.1e}, allowed {allowed:.0e}"]
