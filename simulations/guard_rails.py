"""Writes the measured parts of docs/guard-rails.md: does conservative mode keep its promise, and what does it cost?

On the judged table, 20 stream orders: every 25 requests, is the quality served so far at least (1 - alpha) times what
the baseline would have got on the same requests? With and without the guard, for a good and for a bad baseline, with
most judgements missing, and with a model that gets worse without a word. Then: what does it save to stop exploring
where the best model is known? Run: `python simulations/guard_rails.py`; about four minutes. It reads the judged table
from ../shared/data.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from banditroute import OutcomeTable, load_table
from banditroute.learning.guard import Conservative
from banditroute.learning.guarded import ConservativePolicy, KnowingPolicy
from banditroute.learning.knowing import Known
from banditroute.learning.policy import LearningPolicy, Policy, PolicySettings
from banditroute.simulation.loop import play
from banditroute.simulation.policies import make_policy
from banditroute.simulation.scenario import Feedback, Scenario
from banditroute.simulation.scenario_file import load_scenario
from banditroute.simulation.stages import script_of
from banditroute.simulation.stream import Stream, staged, stream_of
from marked_page import footnote, write_part

ROOT = Path(__file__).parent.parent
TABLE = ROOT.parent / "shared" / "data" / "outcomes" / "judged9_test.jsonl.gz"
SEEDS = range(20)
EVERY = 25
BUDGETS_USD = (None, 6.6e-4, 3e-4)
LLAMA, MISTRAL, GEMINI = range(3)
NAMES = "Llama", "Mistral", "Gemini"

Floats = NDArray[np.float64]


class World(NamedTuple):
    """What requests bring, and what it is called."""

    name: str
    stream: Stream
    scenario: Scenario | None


class Run(NamedTuple):
    """What R replications got, request by request, and what each model would have: (R, n), (R, n, K)."""

    policy: Policy
    got: Floats
    all: Floats
    cost_usd: Floats
    arm: NDArray[np.int64]


def main() -> None:
    """Measures and writes."""
    started = time.perf_counter()
    table = load_table(TABLE)
    for part, lines in (("conservative", _conservative(table)), ("known", _known(table))):
        text = "\n".join((*lines, "", f"{footnote(started, __file__)}."))
        print(text)
        write_part("guard-rails.md", part, text)


def _conservative(table: OutcomeTable) -> Iterator[str]:
    yield "| world | baseline | alpha | behind, free | behind, guarded | quality, free | quality, guarded |"
    yield "|---|---|---|---|---|---|---|"
    still = _world(table, "stationary", None)
    sparse = _world(table, "70% of judgements missing, the others 100 requests late", _sparse())
    drop = load_scenario(ROOT / "configs" / "scenarios" / "silent_drop.toml")
    worse = _world(table, "Mistral silently at .75 for the middle third", drop)
    for world, baselines, alphas in (
        (still, (MISTRAL, GEMINI, LLAMA), (0.01, 0.02, 0.05)),
        (sparse, (MISTRAL, GEMINI), (0.02,)),
        (worse, (GEMINI,), (0.02,)),
    ):
        free = _played(world, None)
        for baseline in baselines:
            for alpha in alphas:
                yield _row(world, free, baseline, Conservative(alpha))


def _row(world: World, free: Run, baseline: int, terms: Conservative) -> str:
    policy = _thompson(world, None)
    guarded = _run(world, ConservativePolicy(policy, baseline, terms))
    behind = " | ".join(_behind(run, baseline, terms.alpha) for run in (free, guarded))
    quality = " | ".join(_quality(run) for run in (free, guarded))
    return f"| {world.name} | {NAMES[baseline]} | {terms.alpha:.2f} | {behind} | {quality} |"


def _behind(run: Run, baseline: int, alpha: float) -> str:
    """Share of checkpoints at which too little was served, and of runs with any such."""
    margin = (run.got - (1.0 - alpha) * run.all[:, :, baseline]).cumsum(1)[:, EVERY - 1 :: EVERY]
    return f"{(margin < 0).mean():.1%} ({(margin < 0).any(1).mean():.0%})"


def _quality(run: Run) -> str:
    return f"{run.got.mean():.4f} (first 300: {run.got[:, :300].mean():.3f})"


def _known(table: OutcomeTable) -> Iterator[str]:
    yield "| budget | stops at | within | known at the end | quality gained | dollars saved |"
    yield "|---|---|---|---|---|---|"
    world = _world(table, "stationary", None)
    for budget_usd in BUDGETS_USD:
        free = _played(world, budget_usd)
        for terms in (Known(0.9, 0.02), Known(0.95, 0.02), Known(0.9, 0.05)):
            policy = KnowingPolicy(_thompson(world, budget_usd), terms)
            calm = _run(world, policy)
            gain, saved = calm.got.mean(1) - free.got.mean(1), 1.0 - calm.cost_usd.mean() / free.cost_usd.mean()
            known = f"{policy.known.mean():.0%} of classes"
            budget = "none" if budget_usd is None else f"${budget_usd:.1e}"
            error = gain.std(ddof=1) / np.sqrt(gain.size)
            amounts = f"{gain.mean():+.4f} ± {error:.4f} | {saved:+.1%}"
            yield f"| {budget} | {terms.confidence:.2f} | {terms.tolerance:.2f} | {known} | {amounts} |"


def _world(table: OutcomeTable, name: str, scenario: Scenario | None) -> World:
    stream = staged(stream_of(table, None, features=True, classes=True), script_of(table, scenario))
    return World(name, stream, scenario)


def _sparse() -> Scenario:
    return Scenario(feedback=Feedback(delay_requests=100, missing=0.7))


def _thompson(world: World, budget_usd: float | None) -> LearningPolicy:
    budgets = None if budget_usd is None else np.full(len(SEEDS), budget_usd)
    table = load_table(TABLE)
    stages = script_of(table, world.scenario).stages
    policy = make_policy("thompson", world.stream, stages, budgets, len(SEEDS), PolicySettings())
    assert isinstance(policy, LearningPolicy)
    return policy


def _played(world: World, budget_usd: float | None) -> Run:
    return _run(world, _thompson(world, budget_usd))


def _run(world: World, policy: Policy) -> Run:
    stream = world.stream
    row, arm = play(stream, policy, SEEDS)
    outcome = row + stream.shift
    quality = stream.quality[outcome]
    taken = arm[..., None]
    got = np.take_along_axis(quality, taken, 2)[..., 0]
    cost_usd = np.take_along_axis(stream.cost_usd[outcome], taken, 2)[..., 0]
    return Run(policy, got, quality, cost_usd, arm)


if __name__ == "__main__":
    main()
