"""Writes a measured part of docs/tasks.md: what a router gets that knows nothing but the prompts, on two real tables.

judged9: classes by the shipped classifier, features by the shipped encoder, beside the table's own classes and its
embedding, and beside nothing at all. llmrouter11: the same at the middle budget. Reads ../shared/data/outcomes; about
a minute and a half on one core.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from banditroute import OutcomeTable, SimulationResult, load_table, simulate
from marked_page import footnote, write_part

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data" / "outcomes"
SEEDS = range(20)
BARS = (0.793, 0.825, 0.876, 0.922, 0.925, 0.929, 0.933)
WAYS = (
    ("true classes, the table's embedding", "table", "table"),
    ("true classes, no features", "none", "table"),
    ("**from the prompt: classes and features**", "prompt", "classifier"),
    ("from the prompt: classes alone", "none", "classifier"),
    ("from the prompt: features alone", "prompt", "none"),
    ("nothing", "none", "none"),
)


def main() -> None:
    """Measures and writes."""
    if not DATA.is_dir():
        sys.exit(f"no outcome tables at {DATA}; nothing was written")
    started = time.perf_counter()
    text = "\n\n".join([_judged9(), _llmrouter11(), f"{footnote(started, __file__)}."])
    write_part("tasks.md", "routing", text)
    sys.stdout.write(text + "\n")


def _judged9() -> str:
    val, test = load_table(DATA / "judged9_val.jsonl.gz"), load_table(DATA / "judged9_test.jsonl.gz")
    budgets = _budgets(val)
    lines = [
        f"judged9 ({test.requests:,} requests after {val.requests:,} of warm-up, {len(SEEDS)} orders): mean quality at "
        "seven budgets, log-spaced between the cheapest and the dearest model.",
        "",
        "| a router that knows | " + " | ".join(f"${budget:.2g}" for budget in budgets) + " | mean |",
        "|---|" + "---|" * 8,
        _row("bar", np.array(BARS), digits=3),
    ]
    rows: dict[str, np.ndarray] = {}
    for name, features, classes in WAYS:
        result = simulate(test, warmup=val, budgets_usd=budgets, seeds=SEEDS, features=features, classes=classes)
        rows[name] = np.array([each.quality.mean() for each in result.results])
        lines.append(_row(name, rows[name]))
    true, read = rows[WAYS[0][0]], rows[WAYS[2][0]]
    lost = ", ".join(f"{100 * (a - b):+.2f}" for a, b in zip(true, read, strict=True))
    return "\n".join([*lines, "", f"Lost by reading prompts in place of knowing their benchmark, in points: {lost}."])


def _llmrouter11() -> str:
    table = load_table(DATA / "llmrouter11.jsonl.gz")
    middle = _budgets(table)[3]
    quality = {(features, classes): _mean(table, middle, features, classes) for _, features, classes in WAYS}
    nothing, true = quality["none", "none"], quality["none", "table"]
    lines = [
        f"llmrouter11 ({table.requests:,} requests, no warm-up, {len(SEEDS)} orders) at the middle budget, "
        f"${middle:.2g} a request:",
        "",
        "| a router that knows | mean quality | share of what true classes gain |",
        "|---|---|---|",
    ]
    for name, features, classes in WAYS[1:]:
        found = quality[features, classes]
        lines.append(f"| {name} | {found:.4f} | {(found - nothing) / (true - nothing):.0%} |")
    return "\n".join(lines)


def _mean(table: OutcomeTable, budget: float, features: str, classes: str) -> float:
    result: SimulationResult = simulate(table, budgets_usd=[budget], seeds=SEEDS, features=features, classes=classes)
    return float(result.results[0].quality.mean())


def _budgets(table: OutcomeTable) -> list[float]:
    cost = np.nanmean(table.cost_usd, axis=0)
    return [float(budget) for budget in np.geomspace(cost.min(), cost.max(), 7)]


def _row(name: str, quality: np.ndarray, digits: int = 4) -> str:
    cells = " | ".join(f"{value:.{digits}f}".lstrip("0") for value in (*quality, quality.mean()))
    return f"| {name} | {cells} |"


if __name__ == "__main__":
    main()
