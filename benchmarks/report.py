"""Outcomes -> a table for the terminal, JSON with the facts of the machine, a plot where matplotlib is installed."""

import importlib.util
import json
from pathlib import Path

from benchmarks import machine
from benchmarks.harness import Outcome, Row, Settings

UNITS = {"us": 1e6, "ms": 1e3, "s": 1.0}


def table(outcome: Outcome) -> str:
    """One case as text: median, interquartile range and ratio to the baseline of every contender."""
    case = outcome.case
    width = max([len("contender"), *(len(row.contender) for row in outcome.rows)])
    rounds = max((len(row.times) for row in outcome.rows), default=0)
    ratio = f"ratio to {outcome.baseline.contender}" if outcome.baseline else "ratio"
    lines = [
        f"{case.name}: {case.about}",
        f"  {'contender':{width}}  {case.unit + '/' + case.per:>10}  {'+- iqr':>8}  {ratio}  ({rounds} rounds)",
    ]
    lines += [f"  {row.contender:{width}}  {cells(row, outcome)}" for row in outcome.rows]
    return "\n".join(lines)


def cells(row: Row, outcome: Outcome) -> str:
    if row.status != "timed":
        return f"{row.status}: {row.note}"
    scale = UNITS[outcome.case.unit]
    facts = "".join(f"   {name} {figure(value)}" for name, value in row.facts.items())
    return f"{figure(row.median * scale):>10}  {figure(row.spread * scale):>8}  {figure(outcome.ratio(row)):>7}{facts}"


def figure(value: float) -> str:
    """Three significant digits, and all digits of what is larger: 0.0123, 1.23, 12.3, 123, 12345."""
    return f"{value:#.3g}" if 0 < abs(value) < 99.95 else f"{value:.0f}"


def document(outcomes: list[Outcome], settings: Settings, before: dict) -> dict:
    """All that was measured, as plain data. `before`: machine.facts() from the start of the run."""
    return {
        "machine": before,
        "versions": machine.versions(),
        "settings": vars(settings),
        "cases": [
            {
                "name": outcome.case.name,
                "about": outcome.case.about,
                "per": outcome.case.per,
                "baseline": outcome.baseline.contender if outcome.baseline else None,
                "rows": [record(row, outcome) for row in outcome.rows],
            }
            for outcome in outcomes
        ],
    }


def record(row: Row, outcome: Outcome) -> dict:
    if row.status != "timed":
        return {"contender": row.contender, "status": row.status, "note": row.note, "detail": row.detail}
    return {
        "contender": row.contender,
        "status": row.status,
        "median_seconds": row.median,
        "iqr_seconds": row.spread,
        "ratio": outcome.ratio(row),
        "repeats": row.repeats,
        "facts": row.facts,
        "seconds": row.times,
    }


def write_json(path: Path, contents: dict):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(contents, indent=1) + "\n")


def write_plot(path: Path, outcomes: list[Outcome]) -> bool:
    """Bars of time on a logarithmic axis, one panel per case. False where matplotlib is not installed."""
    outcomes = [outcome for outcome in outcomes if outcome.timed]
    if not outcomes or importlib.util.find_spec("matplotlib") is None:
        return False
    from matplotlib.figure import Figure  # no pyplot: it would choose a window system

    sizes = [len(outcome.timed) + 2 for outcome in outcomes]
    picture = Figure(figsize=(8, 0.32 * sum(sizes)), layout="constrained")
    panels = picture.subplots(len(outcomes), 1, squeeze=False, gridspec_kw={"height_ratios": sizes})[:, 0]
    for panel, outcome in zip(panels, outcomes, strict=True):
        draw(panel, outcome)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.savefig(path, dpi=120)
    return True


def draw(panel, outcome: Outcome):
    rows, scale = outcome.timed, UNITS[outcome.case.unit]
    colours = ["tab:orange" if row.contender.startswith("gradgen") else "tab:gray" for row in rows]
    times = [row.median * scale for row in rows]
    bars = panel.barh([row.contender for row in rows], times, color=colours)
    panel.bar_label(bars, [f" {figure(t)} ({figure(outcome.ratio(row))}x)" for t, row in zip(times, rows, strict=True)])
    panel.set_xscale("log")
    panel.set_xlim(min(times) / 2, max(times) * 8)
    panel.invert_yaxis()
    panel.set_title(f"{outcome.case.name}, {outcome.case.unit} per {outcome.case.per}", fontsize=9, loc="left")
    panel.tick_params(labelsize=8)
