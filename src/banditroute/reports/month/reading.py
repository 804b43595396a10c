"""From a router's store, open for reading, to all that a month's report is made of."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import get_args

from banditroute.config import RouterConfig
from banditroute.reports.month.baselines import Baselines
from banditroute.reports.month.budgets import PaceMonth, caps_of, paces_of
from banditroute.reports.month.comparing import compared
from banditroute.reports.month.gathering import Gathering, Progress, gathered
from banditroute.reports.month.month import Month
from banditroute.reports.month.sample import Sample
from banditroute.reports.store.timeline import Moment, timeline
from banditroute.routing.guards.switchboard import Switch, SwitchName
from banditroute.routing.windows import Period
from banditroute.storage.protocol import StoreReader

EVIDENCE = 50_000
"""Decisions that baselines are estimated from, at most."""

_SWITCHES = frozenset(get_args(SwitchName))
_MOST_INCIDENTS = 10_000  # as many as a store keeps

Shown = Callable[[str], AbstractContextManager[Progress | None]]
"""Shows how far a long work, of that name, has come."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be reported.

    Attributes:
        period: the month.
        baselines: what to compare it with.
        evidence: the most decisions that these are estimated from.
    """

    period: Period
    baselines: Baselines
    evidence: int = EVIDENCE


async def read_month(plan: RouterConfig, store: StoreReader, wanted: Wanted, *, now: float, shown: Shown) -> Month:
    """All that the month's report is made of; reads the log up to its end, a page of it at a time.

    Raises:
        StoreError: the store cannot be read.
    """
    period, paces = wanted.period, paces_of(plan)
    gathering = Gathering(period, paces, Sample(wanted.evidence, features=wanted.baselines.by_prompt))
    with shown("reading the log") as show:
        await gathered(store.trails(), gathering, period, show)
    state = await store.state()
    with shown("comparing") as show:
        comparison = compared(wanted.baselines, gathering.sample, gathering.mix, show)
    newest = await store.incidents(period.starts_at, _MOST_INCIDENTS)
    return Month(
        store=plan.store.path.name if plan.store.kind == "sqlite" else plan.store.namespace,
        period=period,
        at=now,
        traffic=gathering.traffic(),
        caps=caps_of(plan, period, state.spent_usd, gathering.charged),
        paces=tuple(PaceMonth(budget, gathering.paced[budget.name]) for budget in paces),
        comparison=comparison,
        moments=await _moments(store, period),
        moments_cut=len(newest) >= _MOST_INCIDENTS,
        kept_since=None if plan.store.retention_s is None else now - plan.store.retention_s,
    )


async def _moments(store: StoreReader, period: Period) -> tuple[Moment, ...]:
    """What happened in the month, oldest first; a switch that was thrown before incidents were kept is among it."""
    found = await timeline(store, period.starts_at)
    told = {each.at for each in found if each.kind == "switch"}
    thrown = [each for each in await store.switches() if each.name in _SWITCHES]  # others are notes to itself
    switches = (_switched(each) for each in thrown if not any(abs(each.at - at) < 1.0 for at in told))
    both = (*found, *switches)
    return tuple(sorted((each for each in both if _is_in(each, period)), key=lambda each: each.at))


def _switched(switch: Switch) -> Moment:
    text = (
        f"switch {switch.name} was thrown: {switch.value}" if switch.value else f"switch {switch.name} was taken back"
    )
    return Moment(switch.at, "switch", switch.value, text, "")


def _is_in(moment: Moment, period: Period) -> bool:
    return period.starts_at <= moment.at < period.ends_at
