"""What switching would bring, first in numbers, then in a sentence for each policy."""

from banditroute.evaluation.estimators import WEIGHTED
from banditroute.evaluation.results import Estimate, Evaluation, Interval, Target, Value
from banditroute.evaluation.verdict import ENOUGH
from banditroute.reports import format as write
from banditroute.reports.parts import Block, Card, Cards, Note, Section, Term, Terms
from banditroute.reports.units import DOLLARS, QUALITY, SECONDS, Unit


def verdicts_section(result: Evaluation) -> Section | None:
    """The section: cards of the first policy that the log carries, and all verdicts; None without policies."""
    if not result.targets:
        return None
    lead = next((target for target in result.targets if target.carries), result.targets[0])
    estimate = lead_estimate(result, lead)
    cards: tuple[Block, ...] = () if estimate is None else (Cards(_cards(lead, estimate)),)
    caution = f"The log carries no verdict on {lead.policy}: do not act on these numbers."
    notes: tuple[Block, ...] = () if lead.carries or estimate is None else (Note(caution),)
    terms = Terms(tuple(Term(target.policy, target.verdict) for target in result.targets))
    return Section("verdict", "Verdict", _intro(lead, estimate), (*notes, *cards, terms))


def lead_estimate(result: Evaluation, target: Target) -> Estimate | None:
    """The estimate that cards quote, which is the one that the verdict rests on; without one, the first."""
    found = [each for each in result.estimates if each.policy == target.policy]
    ranked = sorted(found, key=lambda each: (each.estimator != "dr", each.estimator not in WEIGHTED))
    return next(iter(ranked), None)


def _intro(lead: Target, estimate: Estimate | None) -> str:
    if estimate is None:
        return ""
    return (
        f"{lead.policy} against what was logged on the same decisions, as the estimator {estimate.estimator} has it; "
        "intervals are 95%, for one look."
    )


def _cards(lead: Target, estimate: Estimate) -> tuple[Card, ...]:
    judged = () if estimate.quality is None else (_change(QUALITY, "Quality", estimate.quality),)
    return (
        *judged,
        _dollars(estimate.cost_usd),
        _change(SECONDS, "Latency", estimate.latency_s),
        Card("Effective decisions", write.count(round(lead.ess)), _judged(lead)),
    )


def _judged(lead: Target) -> str:
    return f"{write.count(round(lead.ess_judged))} among those judged; {write.count(round(ENOUGH))} carry a verdict"


def _change(unit: Unit, label: str, value: Value) -> Card:
    return Card(label, unit.change(value.gain), f"{_ends(unit, value.gain_ci95)}; now {_now(unit, value)}")


def _dollars(value: Value) -> Card:
    logged = value.mean - value.gain
    if logged <= 0:
        return _change(DOLLARS, "Dollars per request", value)
    share, low, high = (end / logged for end in (value.gain, *value.gain_ci95))
    context = f"{write.between(low, high, write.percent_change)}; now {write.money(logged)} per request"
    return Card("Dollars", write.percent_change(share), context)


def _ends(unit: Unit, interval: Interval) -> str:
    return write.between(*interval, unit.change)


def _now(unit: Unit, value: Value) -> str:
    return unit.text(value.mean - value.gain)
