"""The command: `python -m benchmarks [case ...]`; `gradgen bench` calls `main(argv)` too.

Cases run one after the other and print their table as soon as they are done. A whole run leaves its JSON and its plot
in benchmarks/results/, named by date; a quick one, or one of chosen cases, only where --json and --plot say.
"""

import argparse
import fnmatch
import sys
from pathlib import Path

from benchmarks import machine, report
from benchmarks.cases import CASES
from benchmarks.harness import QUICK, Settings, run
from benchmarks.remote import Remote

RESULTS = Path(__file__).parent / "results"


def main(argv: list[str] | None = None) -> int:
    """Run the chosen cases. Returns 0, or 1 where a contender failed or disagreed, or 2 for a name not known."""
    options = arguments().parse_args(argv)
    cases = [case for case in CASES if chosen(case.name, options.case)]
    wanted = tuple(options.contenders.split(",")) if options.contenders else None
    if problem := unknown(options.case, wanted):
        print(problem, file=sys.stderr)
        return 2
    if options.list:
        print(listing(cases))
        return 0
    settings = QUICK if options.quick else Settings()
    before = machine.facts()
    print(f"{before['processor']}, {before['cores']} cores, load {before['load']}, Python {before['python']}\n")
    outcomes = []
    for case in cases:
        if wanted is None or any(contender.name in wanted for contender in case.contenders):
            outcomes.append(run(case, settings, wanted, Remote))
            print(report.table(outcomes[-1]) + "\n", flush=True)
    store(outcomes, settings, before, options)
    return int(any(row.status in ("failed", "disagrees") for outcome in outcomes for row in outcome.rows))


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.split("\n")[0])
    parser.add_argument("case", nargs="*", help="names or patterns, such as scalar-call or 'mlp-*'; all without one")
    parser.add_argument("--contenders", metavar="A,B", help="only these, such as gradgen,jax")
    parser.add_argument("--quick", action="store_true", help="few rounds and small problems: to see that all runs")
    parser.add_argument("--json", type=Path, metavar="PATH", help="where to write the results")
    parser.add_argument("--plot", type=Path, metavar="PATH", help="where to write the plot (needs matplotlib)")
    parser.add_argument("--list", action="store_true", help="list cases and contenders, and run nothing")
    return parser


def chosen(name: str, patterns: list[str]) -> bool:
    return not patterns or any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def unknown(patterns: list[str], wanted: tuple[str, ...] | None) -> str:
    """What was asked for and does not exist, as a sentence; empty where all exists."""
    names = [case.name for case in CASES]
    contenders = {contender.name for case in CASES for contender in case.contenders}
    if stray := [pattern for pattern in patterns if not fnmatch.filter(names, pattern)]:
        return f"no case {', '.join(stray)}; there are {', '.join(names)}"
    if stray := [name for name in wanted or () if name not in contenders]:
        return f"no contender {', '.join(stray)}; there are {', '.join(sorted(contenders))}"
    return ""


def listing(cases) -> str:
    lines = []
    for case in cases:
        lines.append(f"{case.name}: {case.about}")
        for contender in case.contenders:
            missing = contender.missing()
            lines.append(f"  {contender.name}{' (not installed: ' + ', '.join(missing) + ')' if missing else ''}")
    return "\n".join(lines)


def store(outcomes, settings, before, options):
    """Write JSON and plot where asked, and both into results/ for a whole run."""
    name = RESULTS / before["date"].replace(":", "").replace("+0000", "Z")
    whole = not (options.quick or options.case or options.contenders)
    json_path = options.json or (name.with_suffix(".json") if whole else None)
    plot_path = options.plot or (name.with_suffix(".png") if whole else None)
    if json_path:
        report.write_json(json_path, report.document(outcomes, settings, before))
        print(f"results: {json_path}")
    if plot_path:
        drawn = report.write_plot(plot_path, outcomes)
        print(f"plot: {plot_path}" if drawn else "plot: none (needs matplotlib and a timed contender)")


if __name__ == "__main__":
    sys.exit(main())
