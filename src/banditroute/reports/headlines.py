"""The one sentence on top: what the router gets beside the best fixed model and a fixed mix at the same spend."""

from banditroute.reports.findings import (
    Standing,
    best_fixed,
    budget_label,
    held,
    printed_change,
    standing,
    telling_result,
)
from banditroute.reports.format import money, percent, quality
from banditroute.simulation.results import FixedModel, PolicyResult, SimulationResult

_NO_DIFFERENCE = 0.05


def headline(result: SimulationResult) -> str:
    """The finding in one sentence of plain text, without markup.

    It quotes the leading policy ("thompson", or else the first) at the cheapest budget that was held and came within
    .01 of the best fixed model; where none did, at the budget with the highest quality. Overspending, losing to a fixed
    mix and differences within seed noise are said as such.
    """
    one = telling_result(result)
    best = best_fixed(result)
    if one is None or best is None:
        return "No policy was simulated."
    opening = _opening(one, result)
    if len(result.models) == 1:
        return f"{opening}: with {best[0]} as the only model there was nothing to route."
    return f"{opening}, {_against_model(one, *best)}{_against_mix(one, best[1], result)}{_seeds(one)}."


def _opening(one: PolicyResult, result: SimulationResult) -> str:
    reached = f"{one.policy} reached quality {quality(_mean_quality(one))}"
    if one.budget_usd is None:
        return f"Without a budget {reached} at {money(_mean_cost(one))} per request"
    budget = budget_label(one, result)
    if one.utilisation is None or held(one):
        return f"At {budget} per request {reached}"
    return f"At {budget} per request, overspent by {percent(float(one.utilisation.mean()) - 1)}, {reached}"


def _against_model(one: PolicyResult, name: str, best: FixedModel) -> str:
    always = f"always calling {name} ({quality(best.quality)})"
    cost = _beside_cost(_mean_cost(one), best.cost_usd)
    match standing(one.quality, best.quality):
        case Standing.ABOVE:
            return f"better than {always}, {cost}"
        case Standing.SAME:
            return f"the same as {always}, {cost}"
        case Standing.NOISE:
            return f"within seed noise of {always}, {cost}"
        case Standing.BELOW:
            return f"{_apart(one, best.quality)} short of {always}, {cost}"


def _beside_cost(cost_usd: float, other_usd: float) -> str:
    if other_usd <= 0:
        return "which is free" if cost_usd > 0 else "both free"
    times = cost_usd / other_usd
    if abs(times - 1) <= _NO_DIFFERENCE:
        return "at about the same cost"
    return f"for {percent(times)} of its cost" if times < 1 else f"for {times:.1f} times its cost"


def _against_mix(one: PolicyResult, best: FixedModel, result: SimulationResult) -> str:
    mix = result.envelope.at(_mean_cost(one))
    if mix == best.quality and best.cost_usd <= _mean_cost(one):
        return ""  # at this spend the best mix is that very model
    match standing(one.quality, mix):
        case Standing.ABOVE:
            gets = f"{quality(mix)}, {_apart(one, mix)} less"
        case Standing.SAME:
            gets = "the same"
        case Standing.NOISE:
            gets = f"{quality(mix)}, no different within seed noise"
        case Standing.BELOW:
            gets = f"{quality(mix)}, {_apart(one, mix)} more"
    return f"; a fixed mix of models at the same spend gets {gets}"


def _apart(one: PolicyResult, reference: float) -> str:
    return quality(abs(printed_change(_mean_quality(one), reference)))


def _seeds(one: PolicyResult) -> str:
    return " (one seed)" if len(one.seeds) == 1 else ""


def _mean_quality(one: PolicyResult) -> float:
    return float(one.quality.mean())


def _mean_cost(one: PolicyResult) -> float:
    return float(one.cost_usd.mean())
