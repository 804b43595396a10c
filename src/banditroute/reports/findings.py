"""What a simulation result says when it is read: the leading policy, the telling budget, and who beats whom."""

import math
from enum import Enum

import numpy as np

from banditroute.reports.format import budget_names
from banditroute.simulation.results import FixedModel, Floats, PolicyResult, SimulationResult, mean_ci95

SPEND_TOLERANCE = 0.01
"""A budget counts as held while mean spend is at most this much above it, as a share of the budget."""

CLOSE_QUALITY = 0.01
"""The headline looks for the cheapest budget that comes this close to the best fixed model."""

_LEAST_GAP = 0.001
_FORESIGHT = frozenset({"oracle", "class-lp"})


class Standing(Enum):
    """How a mean over seeds compares with a known number."""

    ABOVE = "above"
    SAME = "same"
    NOISE = "noise"
    BELOW = "below"


def standing(values: Floats, reference: float) -> Standing:
    """Whether seeds (S,) lie above or below a number, round to it, or differ by less than their 95% interval."""
    mean, low, high = mean_ci95(values)
    if round(mean, 3) == round(reference, 3):
        return Standing.SAME
    if low <= reference <= high:
        return Standing.NOISE
    return Standing.ABOVE if mean > reference else Standing.BELOW


def lead_results(result: SimulationResult) -> tuple[PolicyResult, ...]:
    """The results of "thompson", or of the first policy where it was not asked for, cheapest budget first."""
    policies = [one.policy for one in result.results]
    if not policies:
        return ()
    lead = "thompson" if "thompson" in policies else policies[0]
    return tuple(sorted((one for one in result.results if one.policy == lead), key=budget_order))


def telling_result(result: SimulationResult) -> PolicyResult | None:
    """The leading policy's result that the headline quotes; None where nothing was simulated.

    It is the one at the cheapest budget that was held and came within `CLOSE_QUALITY` of the best fixed model; where
    none did, the one with the highest quality.
    """
    lead = lead_results(result)
    best = best_fixed(result)
    floor = -math.inf if best is None else best[1].quality - CLOSE_QUALITY
    close = (one for one in lead if held(one) and float(one.quality.mean()) >= floor)
    return next(close, max(lead, key=lambda one: float(one.quality.mean()), default=None))


def best_fixed(result: SimulationResult) -> tuple[str, FixedModel] | None:
    """The model with the highest quality on its own, the cheaper one on a tie; None where there is none."""
    models = ((name, one) for name, one in result.fixed.items() if not math.isnan(one.quality))
    return max(models, key=lambda item: (item[1].quality, -item[1].cost_usd), default=None)


def budget_order(one: PolicyResult) -> float:
    """A sorting key: budgets from tight to loose, no budget last."""
    return math.inf if one.budget_usd is None else one.budget_usd


def budget_label(one: PolicyResult, result: SimulationResult) -> str:
    """The result's budget as dollars, with the digits that tell it from the leading policy's others, or "no budget"."""
    lead = lead_results(result)
    names = dict(zip((each.budget_usd for each in lead), budget_names([each.budget_usd for each in lead]), strict=True))
    return names.get(one.budget_usd) or budget_names([one.budget_usd])[0]


def held(one: PolicyResult) -> bool:
    """Whether mean spend stayed within the budget and `SPEND_TOLERANCE`; always, where there is none."""
    return one.utilisation is None or float(one.utilisation.mean()) <= 1 + SPEND_TOLERANCE


def gap_closed(one: PolicyResult) -> float:
    """The share of the way from envelope to oracle that the mean quality covers.

    It is nan where there is hardly a way, and where the budget was not held: quality bought with more is no merit.
    """
    gap = one.oracle_quality - one.envelope_quality
    return (float(one.quality.mean()) - one.envelope_quality) / gap if gap >= _LEAST_GAP and held(one) else math.nan


def printed_change(quality: float, reference: float) -> float:
    """The difference of two qualities as they are printed, so that the page adds up."""
    return round(quality, 3) - round(reference, 3)


def leaders(rivals: tuple[PolicyResult, ...]) -> tuple[bool, ...]:
    """Which of one budget's policies lead: the best that held the budget, and those not told apart from it.

    Two policies are not told apart where their 95% intervals overlap. Policies that see outcomes in advance take no
    part, and where fewer than two do, nobody leads.
    """
    contenders = [one for one in rivals if one.policy not in _FORESIGHT and held(one)]
    if len(contenders) < 2:
        return (False,) * len(rivals)
    best = max(contenders, key=lambda one: float(one.quality.mean()))
    floor = mean_ci95(best.quality)[1]
    return tuple(any(one is rival for rival in contenders) and mean_ci95(one.quality)[2] >= floor for one in rivals)


def by_cost(result: SimulationResult) -> tuple[int, ...]:
    """Positions of the models on the K-axis, cheapest on average first, those never observed last."""
    costs = [result.fixed[name].cost_usd if name in result.fixed else math.inf for name in result.models]
    return tuple(int(k) for k in np.argsort(costs, kind="stable"))
