"""What guards a router has, by its file and by its switches, and what they did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from banditroute.reports import format as form
from banditroute.routing.guards import GuardSettings, Switch, Switchboard
from banditroute.routing.guards.counting import GUARDS
from banditroute.routing.pacers import PaceRecord
from banditroute.routing.steering import Steering


@dataclass(frozen=True, slots=True)
class GuardView:
    """One guard that is on.

    Attributes:
        guard: the key of its table, or that of the first of them.
        promise: what it sees to, in words.
        decisions: how many were made under it; bent: how many of them it bent.
    """

    guard: str
    promise: str
    decisions: int
    bent: int


def guard_views(
    settings: GuardSettings, switches: Iterable[Switch], paces: Mapping[str, PaceRecord]
) -> tuple[GuardView, ...]:
    """The guards that are on."""
    board = Switchboard(Steering(), settings)
    for switch in switches:
        board.take_up(switch)
    return tuple(guards_on(settings, board.values, paces))


def guards_on(
    settings: GuardSettings, switches: Mapping[str, str], paces: Mapping[str, PaceRecord]
) -> Iterator[GuardView]:
    """The same where it is known what each switch stands at; empty = off."""
    if switches["only"]:
        yield _view("only", f"only {switches['only']} serves", paces.get(f"{GUARDS}only"))
    if switches["freeze"]:
        yield _view("freeze", "nothing is tried", paces.get(f"{GUARDS}freeze"))
    if settings.baseline is not None:
        record = paces.get(f"{GUARDS}baseline/{settings.baseline}")
        share, sure = form.percent(1.0 - settings.terms.alpha), form.percent(settings.terms.confidence)
        yield _view("baseline", f"at least {share} of the quality of {settings.baseline}, {sure} sure", record)
    bounds = list(_bounds(settings))
    if bounds:
        record = paces.get(f"{GUARDS}exploration")
        yield _view("most_exploration", f"exploring takes at most {' and '.join(bounds)}", record)
    if settings.known is not None:
        promise = f"exploring ends where the best is {form.percent(settings.known.confidence)} sure"
        yield _view("stop_exploring_at", promise, paces.get(f"{GUARDS}best"))


def _bounds(settings: GuardSettings) -> Iterator[str]:
    if settings.most_exploration is not None:
        yield f"{form.percent(settings.most_exploration)} of a decision"
    if settings.explore_usd_per_day is not None:
        yield f"{form.money(settings.explore_usd_per_day)} a day"


def _view(guard: str, promise: str, record: PaceRecord | None) -> GuardView:
    if record is None:
        return GuardView(guard, promise, 0, 0)
    return GuardView(guard, promise, record.requests, int(record.level))
