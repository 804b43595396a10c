"""Writes docs/results.md and README's table: quality, spend and gap closed on three real tables.

Reads the outcome tables from ../shared/data/outcomes beside the repository; where they are absent it says so and
changes nothing. About two minutes on one core.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from datetime import date
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from banditroute import OutcomeTable, SimulationResult, load_table, simulate

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data" / "outcomes"
SEEDS = range(20)
NOTES = Path(__file__).parent / "results_notes.md"


class Study(NamedTuple):
    """One table of the page: what is streamed, and the bar that was set for it."""

    title: str
    result: SimulationResult
    bars: tuple[float, ...]


def main() -> None:
    if not DATA.is_dir():
        sys.exit(f"no outcome tables at {DATA}; nothing was written")
    started = time.perf_counter()
    studies = list(_studies())
    page = "\n\n".join([_heading(time.perf_counter() - started), *map(_section, studies), NOTES.read_text().strip()])
    (ROOT / "docs" / "results.md").write_text(page + "\n", encoding="utf-8")
    _write_readme(_readme_table(studies))
    print(page)


def _studies() -> list[Study]:
    val, test = load_table(DATA / "judged9_val.jsonl.gz"), load_table(DATA / "judged9_test.jsonl.gz")
    budgets = _budgets(val)
    full = simulate(test, warmup=val, budgets_usd=budgets, seeds=SEEDS)
    bare = simulate(test, warmup=val, budgets_usd=budgets, seeds=SEEDS, features="none", classes="none")
    envelope = tuple(r.envelope_quality - 0.002 for r in bare.results)
    llmrouter, mmlu = load_table(DATA / "llmrouter11.jsonl.gz"), load_table(DATA / "mmlu29.jsonl.gz")
    return [
        Study("judged9, classes and features", full, (0.793, 0.828, 0.878, 0.923, 0.926, 0.931, 0.935)),
        Study("judged9, no classes and no features", bare, envelope),
        Study("llmrouter11, cold", simulate(llmrouter, budgets_usd=_budgets(llmrouter), seeds=SEEDS), ()),
        Study(
            "mmlu29, cold",
            simulate(mmlu, budgets_usd=_budgets(mmlu), seeds=SEEDS),
            (0.703, 0.715, 0.730, 0.750, 0.774, 0.803, 0.830),
        ),
    ]


def _budgets(table: OutcomeTable) -> list[float]:
    """Seven log-spaced points between the cheapest and the dearest model's mean cost."""
    cost = np.nanmean(table.cost_usd, axis=0)
    return [float(budget) for budget in np.geomspace(cost.min(), cost.max(), 7)]


def _gap(result: SimulationResult) -> float:
    """Share of the envelope-to-oracle gap closed, mean over the middle five budgets."""
    middle = result.results[1:6]
    shares = [(r.quality.mean() - r.envelope_quality) / (r.oracle_quality - r.envelope_quality) for r in middle]
    return float(np.mean(shares))


def _heading(seconds: float) -> str:
    machine = (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}"
    )
    return (
        "# What does it get on real tables?\n\n"
        f"Written by `simulations/results.py` on {date.today().isoformat()} ({machine}; {seconds:.0f} s in all). "
        "Mean of 20 stream orders. Budgets are seven log-spaced points between the cheapest and the dearest model's "
        "mean cost. *Envelope* is the best mix of two fixed models at the budget, *oracle* the best choice for every "
        "single prompt known in advance, *used* is dollars per request over the budget."
    )


def _section(study: Study) -> str:
    lines = [
        f"## {study.title}",
        "",
        f"{study.result.requests:,} scored requests, {len(study.result.models)} models, "
        f"{study.result.decisions_per_s:,.0f} simulated decisions a second on one core.",
        "",
        "| budget, $ a request | quality (95%) | bar | envelope | oracle | used, mean | used, worst seed |",
        "|---|---|---|---|---|---|---|",
    ]
    for i, r in enumerate(study.result.results):
        half = 2.093 * r.quality.std(ddof=1) / np.sqrt(r.quality.size)
        bar = f"{study.bars[i]:.3f}" if study.bars else ""
        used = r.utilisation
        assert used is not None
        lines.append(
            f"| {r.budget_usd:.3g} | {r.quality.mean():.4f} ± {half:.4f} | {bar} | {r.envelope_quality:.4f} "
            f"| {r.oracle_quality:.4f} | {used.mean():.3f} | {used.max():.3f} |"
        )
    mean = np.mean([r.quality.mean() for r in study.result.results])
    lines += ["", f"Mean quality {mean:.4f}; gap closed over the middle five budgets {_gap(study.result):.1%}."]
    return "\n".join(lines)


def _readme_table(studies: list[Study]) -> str:
    lines = ["| table | what | quality at seven budgets |", "|---|---|---|"]
    for study in (studies[0], studies[2], studies[3]):
        routed = " ".join(f"{r.quality.mean():.3f}".lstrip("0") for r in study.result.results)
        mix = " ".join(f"{r.envelope_quality:.3f}".lstrip("0") for r in study.result.results)
        name = study.title.split(",")[0]
        lines += [f"| {name} | banditroute | {routed} |", f"| | best fixed mix | {mix} |"]
    return "\n".join(lines)


def _write_readme(table: str) -> None:
    path = ROOT / "README.md"
    text = path.read_text(encoding="utf-8")
    before, rest = text.split("<!-- results -->")
    after = rest.split("<!-- /results -->")[1]
    path.write_text(f"{before}<!-- results -->\n{table}\n<!-- /results -->{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
