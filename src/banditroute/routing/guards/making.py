"""The rules that guard settings ask for."""

from __future__ import annotations

from banditroute.routing.rules import Rule

from .baseline import BaselineGuard
from .exploring import ExplorationCap
from .found import BestKnown
from .settings import GuardSettings


def guards_of(settings: GuardSettings) -> tuple[Rule, ...]:
    """The rules but for the switches, which a `Switchboard` throws; none where nothing is set.

    Their order is that in which they are asked: what bounds exploring has the last word on probabilities.
    """
    rules: list[Rule] = []
    if settings.baseline is not None:
        rules.append(BaselineGuard(settings.baseline, settings.terms))
    if settings.known is not None:
        rules.append(BestKnown(settings.known))
    if settings.most_exploration is not None or settings.explore_usd_per_day is not None:
        most = 1.0 if settings.most_exploration is None else settings.most_exploration
        rules.append(ExplorationCap(most, settings.explore_usd_per_day))
    return tuple(rules)
