"""Writes the measured part of docs/warm-start.md: the first and the last 300 requests, cold, warm, and warm from lies.

Run: `python simulations/warm_starts.py`; about a minute. It reads the judged table from ../shared/data.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from banditroute import OutcomeTable, load_table
from banditroute.simulation.run import simulate
from marked_page import footnote, write_part

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data" / "outcomes"
BUDGET_USD = 6.6e-4
STRETCH = 300


def main() -> None:
    """Measures and writes."""
    started = time.perf_counter()
    table, measured = (load_table(DATA / f"judged9_{half}.jsonl.gz") for half in ("test", "val"))
    lies = replace(measured, quality=np.ascontiguousarray(measured.quality[:, [1, 0, 2]]))
    starts = {"none": None, "measured": measured, "measured, two models mistaken for each other": lies}
    lines = [
        "| warm start | first 300 | last 300 | all | first 300, dollars over budget |",
        "|---|---|---|---|---|",
        *(_row(name, table, start) for name, start in starts.items()),
        "",
        f"{footnote(started, __file__)}.",
    ]
    text = "\n".join(lines)
    print(text)
    write_part("warm-start.md", "measured", text)


def _row(name: str, table: OutcomeTable, start: OutcomeTable | None) -> str:
    (result,) = simulate(table, warm_start=start, budgets_usd=[BUDGET_USD]).results
    trace = result.trace
    length = np.diff(np.r_[0, trace.requests])
    first, last = trace.requests <= STRETCH + 9, trace.requests > table.requests - STRETCH
    means = [(trace.quality[:, part] * length[part]).sum(1) / length[part].sum() for part in (first, last)]
    spent = trace.spend_usd[:, np.flatnonzero(first)[-1]] / length[first].sum() / BUDGET_USD
    sem = [f"{mean.mean():.3f} ± {mean.std(ddof=1) / np.sqrt(mean.size):.3f}" for mean in means]
    return f"| {name} | {sem[0]} | {sem[1]} | {result.quality.mean():.3f} | {spent.mean():.2f} |"


if __name__ == "__main__":
    main()
