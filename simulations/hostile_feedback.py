"""Writes the measured part of docs/trust.md: what hostile feedback costs everybody, with and without protection.

One tenant of twenty, which makes 5% of the requests, lies about every answer it gets. The others report what the real
table of outcomes says. About two minutes on one core.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from banditroute import OutcomeTable, load_table
from banditroute.records import Context, Demand
from banditroute.routing.budgets import PacedBudget
from banditroute.routing.catalog import Capabilities, Catalog, Model, Price
from banditroute.routing.decider import Decider
from banditroute.routing.lessons import Lesson, inputs_of
from banditroute.routing.trust import Judgement, Trust, TrustSettings
from marked_page import write_part

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "src" / "banditroute" / "data" / "demo_table.jsonl.gz"
TENANTS = 20
HOSTILE = "tenant 0"
SEEDS = range(10)
OFF = TrustSettings(most_share=1.0, severity=0.0)

Lie = Callable[[float, bool], float]
"""What the liar says of a quality, of the dearest model or of another."""

LIES: dict[str, Lie] = {
    "says the opposite of what is so": lambda quality, _: 1.0 - quality,
    "praises the dearest model, damns the others": lambda _, dear: float(dear),
    "damns the dearest model, praises the others": lambda _, dear: float(not dear),
    "says 0 of everything": lambda *_: 0.0,
}


class Run(NamedTuple):
    """What everybody got: mean quality, and mean dollars."""

    quality: float
    cost_usd: float


def main() -> None:
    """Measures and writes."""
    started = time.perf_counter()
    table = load_table(TABLE)
    honest = _mean(table, None, TrustSettings())
    rows = [(name, _mean(table, lie, OFF), _mean(table, lie, TrustSettings())) for name, lie in LIES.items()]
    text = _text(honest, rows, time.perf_counter() - started)
    write_part("trust.md", "measured", text)
    sys.stdout.write(text + "\n")


def _mean(table: OutcomeTable, lie: Lie | None, settings: TrustSettings) -> Run:
    runs = [play(table, lie, settings, seed) for seed in SEEDS]
    return Run(*(float(np.mean(values)) for values in zip(*runs, strict=True)))


def play(table: OutcomeTable, lie: Lie | None, settings: TrustSettings, seed: int, requests: int = 3_000) -> Run:
    """What everybody got on one order of the table's rows, when one tenant lies or none does."""
    chance = np.random.default_rng(seed)
    cost_usd = table.cost_usd.mean(0)
    budget = PacedBudget("all", float(np.sqrt(cost_usd.min() * cost_usd.max())))
    decider, trust = Decider(_catalog(table), table.tasks, budgets=[budget]), Trust(settings)
    rows = chance.permutation(np.resize(np.arange(table.requests), requests))
    served: list[tuple[float, float]] = []
    for number, row in enumerate(rows):
        tenant = f"tenant {chance.integers(TENANTS)}"
        tokens = int(np.nan_to_num(table.input_tokens[row], nan=100.0))
        context = Context(table.tasks[table.task_of[row]], (), tokens)
        decision = decider.decide(
            context, Demand(tokens), decision_id=str(number), now=float(number), u=chance.random(), tenant=tenant
        )
        arm = table.models.index(decision.chosen)
        quality, usd = float(table.quality[row, arm]), float(table.cost_usd[row, arm])
        said = lie(quality, arm == cost_usd.argmax()) if lie and tenant == HOSTILE else quality
        judgement = Judgement(tenant, "user", said, min(max(decision.forecasts[decision.chosen].quality, 0.0), 1.0))
        weight = trust.weigh(judgement, float(number))
        output_tokens = np.log(max(usd / decider.catalog[decision.chosen].price.output_usd_per_mtok * 1e6, 1.0))
        values = None, float(output_tokens), None, None
        lesson = Lesson(context.task, decision.chosen, "none", inputs_of(context), values)
        decider.take(lesson)
        decider.take(replace(lesson, values=(said, None, None), weight=weight))
        decider.spend(usd)
        if decider.refresh_due:
            decider.refresh()
        served.append((quality, usd))
    return Run(*np.mean(served, axis=0).tolist())


def _catalog(table: OutcomeTable) -> Catalog:
    """Models whose mean answer of 200 tokens costs what the table says; their prompts are free, for it does not."""
    return Catalog(
        tuple(
            Model(name, "any", name, Price(0.0, float(mean) / 200 * 1e6), Capabilities(1_000_000, 100_000))
            for name, mean in zip(table.models, table.cost_usd.mean(0), strict=True)
        )
    )


def _text(honest: Run, rows: list[tuple[str, Run, Run]], seconds: float) -> str:
    lines = [
        f"One tenant of {TENANTS} lies about every answer; 3,000 requests, {len(SEEDS)} orders, the package's table of "
        f"outcomes, a paced budget half-way (on a log scale) between the cheapest and the dearest model. With nobody "
        f"lying, mean quality is {honest.quality:.4f}. Measured on {date.today():%Y-%m-%d} in {seconds:.0f} s, Python "
        f"{platform.python_version()}, {os.cpu_count()} cores, by `python simulations/hostile_feedback.py`.",
        "",
        "| the liar | lost without protection, points | lost with it, points |",
        "|---|---|---|",
    ]
    for name, off, on in rows:
        lost = [100 * (honest.quality - run.quality) for run in (off, on)]
        lines.append(f"| {name} | {lost[0]:+.2f} | {lost[1]:+.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
