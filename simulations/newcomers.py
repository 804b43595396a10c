"""Writes the measured part of docs/new-models.md: how newcomers fare, and what their chance costs everybody else.

Asks, on the judged table at three budgets: how many requests a newcomer gets and how soon it is in steady use, whether
the budget holds after its launch, whether good ones are ever rolled back, and what all of that would be if the router
took a newcomer for a model like any other (it is not told of the launch).

Run: `python simulations/newcomers.py`; about four minutes. It reads the judged table from ../shared/data.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from banditroute import load_table
from banditroute.learning.newcomers import Newcomers
from banditroute.learning.policy import LearningPolicy, PolicySettings
from banditroute.learning.rollout import RolloutSettings
from banditroute.simulation.loop import play
from banditroute.simulation.policies import make_policy
from banditroute.simulation.scenario import AddEvent, Scenario
from banditroute.simulation.scenario_file import load_scenario
from banditroute.simulation.stages import Script, script_of, warmup_of
from banditroute.simulation.stream import Stream, staged, stream_of
from marked_page import footnote, write_part

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data" / "outcomes"
BUDGETS_USD = (3e-4, 6.6e-4, 1.9e-3)
SEEDS = 20
LAUNCH = 600
WINDOW, SHARE = 50, 0.1  # steady use: at least this share of so many requests
TRIAL = RolloutSettings().trial_requests
HEADING = (
    "| newcomer | $ budget | rollout | its requests, mean (most) | in use from (latest) | past its trial (latest) "
    "| share by foresight | dollars over budget, mean (worst) | quality | rolled back |",
    "|---|---|---|---|---|---|---|---|---|---|",
)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class World:
    """A newcomer's world."""

    stream: Stream
    script: Script
    newcomer: int


@dataclass(frozen=True, slots=True)
class Run:
    """What one policy did from the launch on: each (S, n), and in which seeds the newcomer was ever rolled back."""

    arm: Ints
    quality: Floats
    cost_usd: Floats
    rolled_back: NDArray[np.bool_]


class Watched(Newcomers):
    """Remembers who was ever rolled back."""

    def __init__(self, replications: int, models: int, settings: RolloutSettings) -> None:
        super().__init__(replications, models, settings)
        self.ever = self.rolled_back.copy()

    def review(self, *known: object) -> None:
        """Looks on."""
        super().review(*known)  # type: ignore[arg-type]
        self.ever |= self.rolled_back


def main() -> None:
    """Measures and writes."""
    started = time.perf_counter()
    twin = AddEvent(at=LAUNCH, model="newcomer", like=MOST_USED)
    worlds = {
        "the best model's copy, a tenth of its price": world(load_scenario(scenario_path("newcomer_good"))),
        "a copy of the model used most": world(Scenario(events=(twin,))),
        "quality .5, cheap": world(load_scenario(scenario_path("newcomer_bad"))),
    }
    rows = [row for name, each in worlds.items() for budget in BUDGETS_USD for row in compared(name, each, budget)]
    text = "\n".join([*HEADING, *rows, "", f"{footnote(started, __file__)}."])
    print(text)
    write_part("new-models.md", "measured", text)


MOST_USED = "mistral-large-2512"


def scenario_path(name: str) -> Path:
    """A shipped scenario's file."""
    return ROOT / "configs" / "scenarios" / f"{name}.toml"


def world(scenario: Scenario) -> World:
    """The scenario on the judged table's test half, after its validation half."""
    table, warmup = (load_table(DATA / f"judged9_{half}.jsonl.gz") for half in ("test", "val"))
    script = script_of(table, scenario)
    first = script.stages[0].table
    stream = stream_of(first, warmup_of(warmup, scenario), features=True, classes=True)
    return World(staged(stream, script), script, first.models.index("newcomer"))


def compared(name: str, of: World, budget_usd: float) -> list[str]:
    """One row with the rollout, and one without."""
    foresight = used_by_foresight(of, budget_usd)
    told, untold = run(of, budget_usd), run(replace(of, stream=replace(of.stream, news={})), budget_usd)
    return [
        f"| {name} | {budget_usd:.2g} | yes | {described(of, told, budget_usd, foresight)} | {told.rolled_back.sum()} "
        f"of {SEEDS} |",
        f"| | | no | {described(of, untold, budget_usd, foresight)} | |",
    ]


def run(of: World, budget_usd: float, policy: str = "thompson") -> Run:
    """The stretch from the launch on, one row for each seed."""
    made = make_policy(policy, of.stream, of.script.stages, np.full(SEEDS, budget_usd), SEEDS, PolicySettings())
    watched = Watched(SEEDS, of.stream.quality.shape[1], RolloutSettings())
    if isinstance(made, LearningPolicy):
        made.newcomers = watched
    played = play(of.stream, made, range(SEEDS))
    since = of.stream.warm + LAUNCH
    arm, row = played.arm[:, since:], played.row[:, since:] + of.stream.shift[since:]
    return Run(arm, of.stream.quality[row, arm], of.stream.cost_usd[row, arm], watched.ever[:, of.newcomer])


def used_by_foresight(of: World, budget_usd: float) -> float:
    """The newcomer's share where each class's mix of models is the best one for what only the table knows."""
    return float((run(of, budget_usd, "clairvoyant").arm == of.newcomer).mean())


def described(of: World, found: Run, budget_usd: float, foresight: float) -> str:
    """The figures of a row."""
    served = found.arm == of.newcomer
    pulls, spent = served.sum(1), found.cost_usd.mean(1) / budget_usd
    return (
        f"{pulls.mean():.1f} ({pulls.max()}) | {since(steady_after(served, 0))} | {since(steady_after(served, TRIAL))} "
        f"| {foresight:.0%} | {spent.mean():.3f} ({spent.max():.3f}) | {found.quality.mean():.4f}"
    )


def steady_after(served: NDArray[np.bool_], least: int) -> Floats:
    """Requests (S,) from the launch until the newcomer served so many and has its share of the next ones."""
    counts = np.cumsum(np.pad(served.astype(np.float64), ((0, 0), (1, 0))), axis=1)
    ahead = counts[:, WINDOW:] - counts[:, :-WINDOW]
    steady = (ahead >= SHARE * WINDOW) & (counts[:, :-WINDOW] >= least)
    return np.where(steady.any(1), steady.argmax(1), np.inf)


def since(requests: Floats) -> str:
    """The median and the latest; never, or in how many of the seeds, where not in all."""
    ever = np.isfinite(requests)
    if ever.all():
        return f"{np.median(requests):.0f} ({requests.max():.0f})"
    return f"in {ever.sum()} of {requests.size}" if ever.any() else "never"


if __name__ == "__main__":
    main()
