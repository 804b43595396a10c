"""Simulating with arrivals: the live router's own decider and ledger, one world for each seed and budget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from banditroute.errors import ConfigError, InputError
from banditroute.learning.policy import PolicySettings
from banditroute.routing.budgets import Cap, PacedBudget, Window
from banditroute.routing.decider import Decider
from banditroute.routing.ledger import Ledger
from banditroute.routing.promises import Keeper, Kept
from banditroute.sweeping.executor import Executor, Tick, in_order

from .loop import Played
from .results import CapWindow, Floats, Lateness
from .scenario import Feedback, LatencyEvent, PriceEvent, QualityEvent, Scenario
from .stages import Script
from .table import OutcomeTable
from .world import Lived, World
from .world_prices import Priced, priced

THOMPSON = "thompson"


@dataclass(frozen=True, slots=True)
class Setting:
    """What every world of a simulation has in common."""

    priced: Priced
    trace: Floats | None
    script: Script
    scenario: Scenario
    settings: PolicySettings


class Life(NamedTuple):
    """What one world came to."""

    played: Played
    windows: dict[Window, tuple[float, float]]
    """Dollars that each window of a cap allowed, and that were spent of them."""
    kept: Kept | None
    """How the promise of latency was kept, if one was given."""


def check_lived(scenario: Scenario, policies: Sequence[str], *, warm: bool) -> None:
    """Raises InputError for what is not played where requests arrive in time.

    Args:
        scenario: what happens.
        policies: their names.
        warm: whether other rows are to come first.
    """
    for name in policies:
        if name != THOMPSON:
            problem = f"{name} does not play a scenario with [traffic]: the live router does, which is {THOMPSON}"
            raise InputError(problem, remedy=f"ask for {THOMPSON} alone", field="policies")
    if warm:
        problem = "a scenario with [traffic] starts cold"
        raise InputError(problem, remedy="leave the warm-up out", field="warmup")
    if scenario.feedback != Feedback():
        problem = "is not played with [traffic] yet: judgements come with the answers"
        raise ConfigError(problem, remedy="take it out", path=scenario.path, field="feedback")
    for position, event in enumerate(scenario.events):
        silent = isinstance(event, PriceEvent) and not event.announced
        if not silent and not isinstance(event, QualityEvent | LatencyEvent):
            problem = f"{event.kind} is not played with [traffic] yet"
            raise scenario.error(position, "kind", problem, "use quality, latency or price with announced = false")


def setting_of(
    table: OutcomeTable, script: Script, scenario: Scenario, settings: PolicySettings, *, features: bool, classes: bool
) -> Setting:
    """The worlds' common ground: the table is given prices by the token that bill what it says.

    Args:
        table: of the first stage.
        script: what happens.
        scenario: who asks when, and what may be spent.
        settings: constants of learning.
        features: whether the table's are used.
        classes: likewise.

    Raises:
        InputError: the trace cannot be read, or a model is observed nowhere.
    """
    assert scenario.traffic is not None, "played only where there is some"
    if not features:
        table = replace(table, features=np.zeros((table.requests, 0)))
    if not classes:
        table = replace(table, tasks=(), task_of=np.full(table.requests, -1))
    return Setting(priced(table), scenario.traffic.trace(scenario.path), script, scenario, settings)


def live(
    setting: Setting, budgets_usd: Sequence[float | None], seeds: Sequence[int], executor: Executor, tick: Tick | None
) -> dict[float | None, list[Life]]:
    """The worlds of each budget, in the order of the seeds; the same whoever does the work."""
    plan = [(budget, seed) for budget in budgets_usd for seed in seeds]
    with executor.crew(_lived, setting) as crew:
        lives = in_order(_told(crew.sweep(plan), setting, tick))
    return {
        budget: [life for life, (asked, _) in zip(lives, plan, strict=True) if asked == budget]
        for budget in budgets_usd
    }


def windows_of(lives: Sequence[Life]) -> tuple[CapWindow, ...]:
    """How each window of each cap ended, over the seeds in which it was opened."""
    names = sorted({window for life in lives for window in life.windows})
    return tuple(_window(name, [life.windows[name] for life in lives if name in life.windows]) for name in names)


def lateness_of(lives: Sequence[Life]) -> Lateness | None:
    """How the promise of latency was kept in each seed; None where none was given."""
    kept = [life.kept for life in lives if life.kept is not None]
    if not kept:
        return None
    promise, late, given_up = kept[0].promise, [each.late_rate for each in kept], [each.given_up for each in kept]
    return Lateness(promise.limit_s, promise.epsilon, np.array(late), np.array(given_up))


def _window(name: Window, ends: Sequence[tuple[float, float]]) -> CapWindow:
    allowed, spent = (np.array(column) for column in zip(*ends, strict=True))
    return CapWindow(name.budget, name.period, allowed, spent)


def _told(ended: Iterable[tuple[int, Life]], setting: Setting, tick: Tick | None) -> Iterator[tuple[int, Life]]:
    for each in ended:
        if tick is not None:
            tick(setting.priced.table.requests)
        yield each


def _lived(setting: Setting, asked: tuple[float | None, int], tick: Tick) -> Life:
    """One world, of a budget and a seed."""
    del tick  # it is over before it could say much
    budget_usd, seed = asked
    table, scenario = setting.priced.table, setting.scenario
    assert scenario.traffic is not None, "played only where there is some"
    arrivals = scenario.traffic.plays(table.requests, seed, setting.trace)
    caps = [budget for budget in scenario.budgets if isinstance(budget, Cap)]
    width = table.features.shape[1]
    keeper = None if scenario.slo is None else Keeper(scenario.slo.promise)
    decider = Decider(
        setting.priced.catalog,
        table.tasks,
        width,
        setting.settings,
        budget_usd,
        budgets=[budget for budget in scenario.budgets if isinstance(budget, PacedBudget)],
        caps=[cap for cap in caps if cap.paced],
        encoder_version=f"table-{width}" if width else "none",
        rules=() if keeper is None else (keeper,),
    )
    world = World(setting.priced, arrivals, decider, Ledger(caps), seed=seed, stages=setting.script.stages)
    return _life(world.run(), None if keeper is None else keeper.kept())


def _life(lived: Lived, kept: Kept | None) -> Life:
    windows = {name: (lived.allowed_usd[name], spent) for name, spent in lived.spent_usd.items()}
    return Life(Played(lived.row[None], lived.arm[None]), windows, kept)
