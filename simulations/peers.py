"""Writes the measured part of docs/peers.md: ParetoBandit and LiteLLM's adaptive router beside ours, stream by stream.

Every shipped scenario without arrivals in time, at three budgets, 20 orders; judged9's val warms up, its test is
scored. All decide the same requests in the same orders and hear of the outcomes they chose alone.

Run: `python simulations/peers.py`; see the page for how long it took. It needs both peers: `pip install --group peers`.
`--seeds 2` is for trying out: it prints, and leaves the page as it is. It reads the judged table from ../shared/data.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from banditroute import OutcomeTable, load_table
from banditroute.simulation.results import PolicyResult
from banditroute.simulation.run import simulate
from banditroute.simulation.scenario import Scenario
from banditroute.simulation.scenario_file import load_scenario
from banditroute.sweeping.choosing import executor_of
from banditroute.sweeping.executor import Tick, in_order
from marked_page import footnote, write_part
from peer_live import Live
from peer_tables import Rows, scenario_table, summary_table
from peer_world import MakePeer, World, meet, world_of

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data" / "outcomes"
SCENARIOS = ROOT / "configs" / "scenarios"
BUDGETS_USD = (3e-4, 6.6e-4, 1.9e-3)
SEEDS = 20
CALM = "no event"
PACKAGES = {"paretobandit": "pareto_bandit", "litellm": "litellm"}

OURS = {"banditroute": "thompson", "*knows all in advance*": "clairvoyant"}
LIVE = "banditroute's live decider"
PARETO = "ParetoBandit"
PARETO_CLASSES = "ParetoBandit, classes too"
PARETO_BILLS = "ParetoBandit, bills at once"
LITELLM = "LiteLLM, shipped weights"
LITELLM_TUNED = "LiteLLM, weight from val"


class Job(NamedTuple):
    """One policy in one scenario at one budget; the weight is LiteLLM's."""

    scenario: str
    policy: str
    budget_usd: float
    seeds: int
    weight: float


def main() -> None:
    """Measures, prints, and writes where all seeds ran."""
    absent = [package for package, module in PACKAGES.items() if find_spec(module) is None]
    if absent:
        sys.stderr.write(f"not installed: {', '.join(absent)}; try: pip install --group peers\n")
        return
    options = _options()
    started = time.perf_counter()
    tables = load_tables()
    speeds = _speeds(*tables)
    weights = tuned_weights(tables[1], BUDGETS_USD)
    jobs = list(_jobs(options.scenario, options.seeds, weights))
    rows: Rows = {}
    with executor_of(options.jobs).crew(_play, tables) as crew:
        for job, result in zip(jobs, in_order(_told(jobs, crew.sweep(jobs), started)), strict=True):
            rows.setdefault(job.scenario, []).append((job.policy, result))
    text = _text(rows, speeds, weights, options.seeds, footnote(started, __file__))
    print(text)
    if options.seeds == SEEDS and not options.scenario:
        write_part("peers.md", "measured", text)


def _told(
    jobs: Sequence[Job], ended: Iterable[tuple[int, PolicyResult]], started: float
) -> Iterator[tuple[int, PolicyResult]]:
    for index, result in ended:
        sys.stderr.write(f"{time.perf_counter() - started:5.0f} s  {jobs[index].scenario}, {jobs[index].policy}\n")
        yield index, result


def load_tables() -> tuple[OutcomeTable, OutcomeTable]:
    """What is scored, and what warms up."""
    return load_table(DATA / "judged9_test.jsonl.gz"), load_table(DATA / "judged9_val.jsonl.gz")


def peer_of(policy: str, weight: float) -> MakePeer:
    """What makes the peer of that name; peers are imported where they play."""
    if policy == LIVE:
        return Live
    if policy in (LITELLM, LITELLM_TUNED):
        from peer_litellm import Adaptive

        return Adaptive if policy == LITELLM else partial(Adaptive, weight=weight)
    from peer_pareto import ParetoBandit

    return partial(ParetoBandit, classes=policy == PARETO_CLASSES, bills_at_once=policy == PARETO_BILLS)


def tuned_weights(val: OutcomeTable, budgets_usd: Sequence[float], seeds: int = 5) -> dict[float, float]:
    """For each budget the quality weight that served val best within it; the cheapest where none did."""
    world = world_of(val, None, None)
    tried: list[tuple[float, float, float]] = []
    for step in range(21):
        result = meet(world, LITELLM_TUNED, peer_of(LITELLM_TUNED, step / 20), budgets_usd[0], range(seeds)).result
        tried.append((step / 20, float(result.quality.mean()), float(result.cost_usd.mean())))
    best: dict[float, float] = {}
    for budget in budgets_usd:
        within = [each for each in tried if each[2] <= budget]
        best[budget] = max(within, key=lambda each: each[1])[0] if within else min(tried, key=lambda each: each[2])[0]
    return best


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=SEEDS, help="orders of the stream")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--scenario", action="append", default=[], help="only this one; may stand more than once")
    return parser.parse_args()


def _jobs(only: Sequence[str], seeds: int, weights: dict[float, float]) -> Iterator[Job]:
    for scenario in only or [CALM, *_one_by_one()]:
        late = [PARETO_BILLS] if scenario == "late_feedback" else []
        for budget in BUDGETS_USD:
            for policy in (*OURS, PARETO, *late, PARETO_CLASSES, LITELLM, LITELLM_TUNED):
                yield Job(scenario, policy, budget, seeds, weights[budget])


def _one_by_one() -> Iterator[str]:
    """The shipped scenarios whose requests come one after the other: no peer plays arrivals in time."""
    for path in sorted(SCENARIOS.glob("*.toml")):
        if load_scenario(path).traffic is None:
            yield path.stem


_worlds: dict[str, World] = {}  # a worker's own copy, of the last scenario


def _scenario(name: str) -> Scenario | None:
    return None if name == CALM else load_scenario(SCENARIOS / f"{name}.toml")


def _play(tables: tuple[OutcomeTable, OutcomeTable], job: Job, tick: Tick) -> PolicyResult:
    del tick  # a job is told of once it is over
    table, warmup = tables
    scenario, seeds = _scenario(job.scenario), range(job.seeds)
    if job.policy in OURS:
        given = {"policies": [OURS[job.policy]], "budgets_usd": [job.budget_usd], "seeds": seeds, "scenario": scenario}
        [result] = simulate(table, warmup=warmup, **given).results
        return result
    if job.scenario not in _worlds:
        _worlds.clear()
        _worlds[job.scenario] = world_of(table, warmup, scenario)
    return meet(_worlds[job.scenario], job.policy, peer_of(job.policy, job.weight), job.budget_usd, seeds).result


def _speeds(table: OutcomeTable, warmup: OutcomeTable) -> dict[str, float]:
    """Processor seconds of each one's own code for a request, its bill and its judgement, over one order."""
    world = world_of(table, warmup, None)
    policies = (LIVE, PARETO, PARETO_CLASSES, LITELLM)
    return {policy: meet(world, policy, peer_of(policy, 0.7), BUDGETS_USD[1], [0]).seconds for policy in policies}


def _text(rows: Rows, speeds: dict[str, float], weights: dict[float, float], seeds: int, note: str) -> str:
    versions = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    chosen = ", ".join(f"{weight:.2f} at ${budget:.2g}" for budget, weight in weights.items())
    micros = ", ".join(f"{policy} {seconds * 1e6:.0f} µs" for policy, seconds in speeds.items())
    parts = [
        f"{note}. {versions}; mean of {seeds} orders. LiteLLM's quality weight from val: {chosen}. A decision and what "
        f"is learned from it take, processor time over one order: {micros}.",
        summary_table(rows),
        *(scenario_table(name, results) for name, results in rows.items()),
    ]
    return "\n\n".join(parts)


if __name__ == "__main__":
    main()
