"""How good a tuned budget is: the cheapest one on the table it was tuned on, and on traffic that came later.

Writes the measured part of docs/tuning.md. Run: `python simulations/budget_tuning.py`; on 2 cores some minutes. It
reads the judged tables from ../shared/data.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from scipy.optimize import isotonic_regression

from banditroute import OutcomeTable, load_table, simulate
from banditroute.evaluation.results import Interval
from banditroute.tuning.curve import cheapest
from banditroute.tuning.from_table import Replay, tune_table
from banditroute.tuning.questions import Questions
from banditroute.tuning.results import TargetBudget, Tuning
from marked_page import write_part

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data" / "outcomes"

QUALITY = 0.92
JOBS = 2
SEEDS = range(20)
OTHERS = range(100, 120)
"""Stream orders of the check, which tuning never saw."""

STRETCHES = (np.geomspace(0.7, 1.3, 12), np.geomspace(1.4, 5.0, 12))
"""Of the tuned budget: some six percent from one to the next; the dearer ones only where the first do not reach it."""


@dataclass(frozen=True)
class Needed:
    """The cheapest budget that reaches the quality on a table, by a fine grid and orders of its own."""

    where: str
    budget_usd: float

    @property
    def inside(self) -> bool:
        """Whether the grid holds it."""
        return 0.0 < self.budget_usd < float("inf")


def needed(where: str, table: OutcomeTable, around_usd: float, warmup: OutcomeTable | None = None) -> Needed:
    budgets, quality = np.zeros(0), np.zeros(0)
    found_usd = float("inf")
    for stretch in STRETCHES:
        asked = (around_usd * stretch).tolist()
        found = simulate(table, warmup=warmup, budgets_usd=asked, seeds=OTHERS, jobs=JOBS)
        budgets = np.append(budgets, asked)
        quality = np.append(quality, [each.quality.mean() for each in found.results])
        found_usd = cheapest(budgets, np.asarray(isotonic_regression(quality).x), QUALITY)
        if found_usd < float("inf"):
            break
    return Needed(where, found_usd)


def measured(tuning: Tuning, target: TargetBudget, budget_usd: float, checks: list[Needed]) -> Iterator[str]:
    here, *later = checks
    yield (
        f"Asked for {QUALITY:g} on the {tuning.requests:,} rows of `{tuning.source}`, with {tuning.seeds} orders, "
        f"`tune` says ${budget_usd:.3g}, with 90% confidence {_between(target.ci90)}, and took {tuning.seconds:.0f} s "
        f"({JOBS} processes). The check is a fine grid of budgets around that, each in {len(OTHERS)} other orders."
    )
    yield ""
    yield "| the cheapest budget that reaches it | | tuned, over this | in the interval |"
    yield "|---|---|---|---|"
    yield _row(here, budget_usd, target.ci90)
    for each in later:
        yield _row(each, budget_usd, target.ci90)
    yield ""
    yield f"{date.today().isoformat()}, {_machine()}, by `simulations/budget_tuning.py`."


def _row(check: Needed, budget_usd: float, ci90: Interval) -> str:
    if not check.inside:
        beyond = "below" if check.budget_usd == 0.0 else "above"
        return f"| {check.where} | {beyond} the grid | | |"
    covered = "yes" if ci90.low <= check.budget_usd <= ci90.high else "no"
    return f"| {check.where} | ${check.budget_usd:.3g} | {budget_usd / check.budget_usd:.2f} | {covered} |"


def _between(ci90: Interval) -> str:
    return f"${ci90.low:.3g} to ${ci90.high:.3g}"


def _machine() -> str:
    return f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stdout", action="store_true", help="print, and leave the page as it is")
    wanted = parser.parse_args()
    val, test = (load_table(DATA / f"judged9_{part}.jsonl.gz") for part in ("val", "test"))
    tuning = tune_table(val, Questions(target_quality=(QUALITY,)), replay=Replay(seeds=SEEDS, jobs=JOBS))
    target = tuning.recommendations[0].target
    assert target is not None, "a quality was asked for"
    assert target.budget_usd is not None, "the table reaches it"
    budget_usd = target.budget_usd
    sys.stderr.write(f"tuned: ${budget_usd:.4g} in {tuning.seconds:.0f} s\n")
    checks = [
        needed("on the same table, other orders", val, budget_usd),
        needed("on traffic that came later, by a router that begins there", test, budget_usd),
        needed("on the same, by a router that was at work on the table", test, budget_usd, val),
    ]
    lines = list(measured(tuning, target, budget_usd, checks))
    if wanted.stdout:
        sys.stdout.write("\n".join(lines) + "\n")
    else:
        write_part("tuning.md", "measured", "\n".join(lines))


if __name__ == "__main__":
    main()
