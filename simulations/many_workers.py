"""Writes the measured part of docs/many-processes.md: do four processes on one store route as well as one?

Twenty thousand requests of the judged table come at 100 a second. They go to one worker, or by chance to one of four
that exchange news once a second, each with a learner of its own and all on one store. Time is simulated, the rest is
what runs live. The budget is a pace and, for all of it, a cap. About five minutes on one core; `--quick` takes one.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from banditroute import OutcomeTable, load_table
from banditroute.errors import BudgetExceededError, NoEligibleModelError
from banditroute.fleet import Fleet, Tempo
from banditroute.learner import Learner
from banditroute.learning.policy import PolicySettings
from banditroute.observe import NullObserver
from banditroute.records import Attempt, Context, Demand, Feedback, Outcome, Usage
from banditroute.routing.budgets import Cap, PacedBudget
from banditroute.routing.catalog import Capabilities, Catalog, Model, Price
from banditroute.routing.decider import Decider
from banditroute.routing.ledger import Ledger
from banditroute.storage.memory import MemoryStore
from banditroute.storage.protocol import Dispatch
from marked_page import footnote, write_part

DATA = Path(__file__).parent.parent.parent / "shared" / "data" / "outcomes"
NOON = 1_795_608_000.0
A_SECOND, TICK_S = 100, 1.0
BUDGET_USD = 6.6e-4
USD_PER_MTOK = 1.0  # so that tokens say what the table says of dollars
NEVER_S = 3600.0


@dataclass
class Clock:
    """The simulated time."""

    now: float = NOON

    def __call__(self) -> float:
        return self.now


@dataclass
class Worker:
    """One process: what it has learned, its part of the caps, and its word to the others."""

    learner: Learner
    fleet: Fleet | None
    next_tick: float


@dataclass(frozen=True)
class Result:
    """What a run came to."""

    quality: float
    usd: float
    refused: int


async def run(table: OutcomeTable, workers: int, requests: int, seed: int) -> Result:
    """Routes so many requests over so many workers."""
    clock, chance, store = Clock(), Random(seed), MemoryStore(kept=100)
    rows = np.random.default_rng(seed).integers(table.requests, size=requests)
    all_workers = [worker(table, store, clock, workers, number, requests) for number in range(workers)]
    await store.open()
    for each in all_workers:
        if each.fleet is not None:
            await each.fleet.join(each.learner)
    quality = usd = 0.0
    refused = 0
    for number, row in enumerate(rows.tolist()):
        clock.now = NOON + number / A_SECOND
        for each in all_workers:
            if each.fleet is not None and clock.now >= each.next_tick:
                each.next_tick += TICK_S * chance.uniform(0.9, 1.1)
                await each.fleet.exchange()
                refresh(each.learner)
        served = await ask(chance.choice(all_workers), table, row, number, clock, chance)
        if served is None:
            refused += 1
        else:
            quality += table.quality[row, served]
            usd += table.cost_usd[row, served]
    return Result(quality / (requests - refused), usd, refused)


def worker(table: OutcomeTable, store: MemoryStore, clock: Clock, workers: int, number: int, requests: int) -> Worker:
    """One of them; the only one shares nothing."""
    caps = [Cap("day", BUDGET_USD * requests, "day", on_exhausted="reject", paced=False)]
    price = Price(0.0, USD_PER_MTOK)
    models = tuple(Model(name, "p", name, price, Capabilities(max_output_tokens=165_000)) for name in table.models)
    width = table.features.shape[1]
    decider = Decider(
        Catalog(models),
        table.tasks,
        width,
        PolicySettings(),
        budgets=[PacedBudget("pace", BUDGET_USD)],
        encoder_version="table",
    )
    ledger, observer = Ledger(caps), NullObserver()
    fleet = Fleet(store, ledger, observer, clock, Tempo(NEVER_S, NEVER_S)) if workers > 1 else None
    learner = Learner(decider, ledger, store, observer, clock, fleet=fleet)
    return Worker(learner, fleet, NOON + TICK_S * (number + 1) / workers)


async def ask(by: Worker, table: OutcomeTable, row: int, number: int, clock: Clock, chance: Random) -> int | None:
    """The model that serves a row, its outcome and judgement taken in; None where the cap is reached."""
    learner, decider, task = by.learner, by.learner.decider, table.tasks[table.task_of[row]]
    features = tuple(table.features[row].tolist())
    prompt_tokens = int(table.input_tokens[row])
    context, demand = Context(task, features, prompt_tokens, "table"), Demand(prompt_tokens)
    name, now = f"{number:06d}", clock.now
    try:
        decider.pacers.arrived("", task, now, learner.ledger)
        level_usd = learner.ledger.left_usd("", task, now)
        decision = decider.decide(context, demand, decision_id=name, now=now, u=chance.random(), level_usd=level_usd)
        usd = decider.beliefs.reservation_usd(decider.catalog[decision.chosen], context, demand)

        def reserve() -> None:
            learner.ledger.reserve(name, usd, "", task, now, now + 60.0)

        try:
            reserve()
        except BudgetExceededError:
            if by.fleet is None:
                raise
            await by.fleet.exchange()
            reserve()
    except (BudgetExceededError, NoEligibleModelError):
        return None
    arm = table.models.index(decision.chosen)
    cost_usd = float(table.cost_usd[row, arm])
    learner.store.begin(Dispatch(decision))
    expected_usd = decider.expect(decision)
    tokens = max(round(cost_usd / USD_PER_MTOK * 1e6), 1)
    attempts = (Attempt(decision.chosen, 1.0, cost_usd),)
    usage = Usage(prompt_tokens, tokens)
    outcome = Outcome(name, decision.chosen, now, usage, cost_usd, 1.0, ok=True, attempts=attempts)
    charges = learner.ledger.settle(name, cost_usd)
    await learner.settle(decision, outcome, charges, first=True, expected_usd=expected_usd)
    await learner.judge(Feedback(name, float(table.quality[row, arm]), "table", now))
    if decider.refresh_due:
        learner.decider.refresh()  # its own allowance goes by real time
    return arm


def refresh(learner: Learner) -> None:
    """Solves what was learned anew, at once: its own allowance goes by real time."""
    for _ in learner.refreshing():
        pass


def rows_of(table: OutcomeTable, seeds: Sequence[int], requests: int) -> list[str]:
    """The lines of the table that the page shows."""
    lines: list[str] = []
    ones: list[float] = []
    for number in (1, 4):
        each = [asyncio.run(run(table, number, requests, seed)) for seed in seeds]
        qualities = [result.quality for result in each]
        ones = ones or qualities
        differences = np.subtract(qualities, ones)
        spent = np.array([result.usd for result in each]) / (BUDGET_USD * requests)
        gap = "" if number == 1 else f"{differences.mean():+.4f} ± {_error(differences):.4f}"
        refused = np.mean([result.refused for result in each])
        lines.append(
            f"| {number} | {np.mean(qualities):.4f} | {gap} | {spent.mean():.4f} | {spent.max():.4f} | {refused:.0f} |"
        )
        print(lines[-1], flush=True)
    return lines


def _error(values: NDArray[np.float64]) -> float:
    return float(values.std(ddof=1) / np.sqrt(values.size))


def main() -> None:
    """Measures and writes."""
    started, quick = time.perf_counter(), "--quick" in sys.argv
    half, seeds, requests = ("val", range(2), 4_000) if quick else ("test", range(3), 20_000)
    table = load_table(DATA / f"judged9_{half}.jsonl.gz")
    head = [
        "| workers | quality | against one | dollars over the budget | most of them | refused |",
        "|---|---|---|---|---|---|",
    ]
    text = "\n".join([*head, *rows_of(table, seeds, requests), "", f"{footnote(started, __file__)}."])
    if not quick:
        write_part("many-processes.md", "measured", text)


if __name__ == "__main__":
    main()
