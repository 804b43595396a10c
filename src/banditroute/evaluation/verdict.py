"""What an evaluation amounts to, in a sentence or two: what switching would bring, or what is missing to say so."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from .estimators import WEIGHTED
from .results import Estimate, Target, Value

ENOUGH = 100.0
"""Effective decisions below which no verdict is given."""

_MOST_UNSEEN = 0.01  # share of a target's choices that no estimate may speak of
_MOST_ODD = 4.5  # standard errors by which the weights' mean may miss 1


def verdict(target: Target, estimates: Sequence[Estimate], used: int, weights_sd: float, unjudged: float) -> Target:
    """The target with whether the log carries a verdict on it, and the verdict.

    Args:
        target: how far the log carries it.
        estimates: its estimates; that of dr speaks, or the first that no model's error can bias for good.
        used: decisions that they rest on.
        weights_sd: spread of the importance weights.
        unjudged: share of the target's choices that are models of which nobody judged an answer, though others were.
    """
    missing = _missing(target, estimates, used, weights_sd) or _nobody_judged(target, unjudged)
    unbiased = [each for each in estimates if each.estimator in WEIGHTED]
    if missing:
        return replace(target, carries=False, verdict=missing)
    if not unbiased:
        sentence = "No verdict: ask for an estimator that corrects its model by what was seen (dr, ips or snips)."
        return replace(target, carries=False, verdict=sentence)
    speaks = next((each for each in unbiased if each.estimator == "dr"), unbiased[0])
    return replace(target, carries=True, verdict=" ".join(_sentences(target, speaks)))


def _missing(target: Target, estimates: Sequence[Estimate], used: int, weights_sd: float) -> str:
    """What is missing to say anything; empty where nothing is."""
    if target.unseen_share > _MOST_UNSEEN:
        return (
            f"No verdict: {target.unseen_share:.0%} of what {target.policy} would choose the log could not have drawn; "
            "more decisions like these cannot tell, a router that explores those models can."
        )
    odd = abs(target.mean_weight - 1.0 + target.unseen_share)
    if odd > _MOST_ODD * weights_sd / math.sqrt(used) and odd > 0.01:
        return (
            f"No verdict: the weights' mean is {target.mean_weight:.2f} where sound propensities give 1; "
            "the log's propensities are not what its decisions were drawn with."
        )
    judges = any(each.quality is not None for each in estimates)
    ess = min(target.ess, target.ess_judged) if judges else target.ess
    if ess >= ENOUGH:
        return ""
    if target.ess == 0.0:
        return f"No verdict: no decision of the log is one that {target.policy} could have made."
    if ess == 0.0:
        return f"No verdict: no decision that {target.policy} could have made was judged."
    more = math.ceil(used * ENOUGH / ess) - used
    return (
        f"No verdict yet: the {used:,} decisions are worth {ess:.0f} that {target.policy} would have made, and "
        f"{ENOUGH:.0f} are needed: about {more:,} more decisions like these."
    )


def _nobody_judged(target: Target, unjudged: float) -> str:
    """That quality is unknown of much of what a target would choose; empty where it is not."""
    if unjudged <= _MOST_UNSEEN:
        return ""
    return (
        f"No verdict: {unjudged:.0%} of what {target.policy} would choose are models of which nobody judged an answer; "
        "have some of their answers judged."
    )


def _sentences(target: Target, estimate: Estimate) -> Iterator[str]:
    name, quality = target.policy, estimate.quality
    if quality is None:
        yield f"{name}: nobody judged an answer, so nothing is known of its quality."
    else:
        low, high = quality.ci95
        yield f"{name} would have got a quality of {quality.mean:.3f} ({low:.3f} to {high:.3f}), {_quality(quality)}."
    yield f"It would have cost ${estimate.cost_usd.mean:.3g} per request, {_amount(estimate.cost_usd, 'less', 'more')}."
    latency = estimate.latency_s
    yield f"An answer would have taken {latency.mean:.3g} s, {_amount(latency, 'faster', 'slower')}."


def _quality(value: Value) -> str:
    low, high = value.gain_ci95
    if low > 0:
        return f"better than what was logged by {value.gain:.3f} ({low:.3f} to {high:.3f})"
    if high < 0:
        return f"worse than what was logged by {-value.gain:.3f} ({-high:.3f} to {-low:.3f})"
    return f"no difference shown to what was logged ({low:+.3f} to {high:+.3f})"


def _amount(value: Value, less: str, more: str) -> str:
    """How much less or more than what was logged, in percent of it."""
    logged = value.mean - value.gain
    low, high = value.gain_ci95
    if not logged > 0 or not (low > 0 or high < 0):
        return "no difference shown to what was logged"
    ends, word = sorted((abs(low) / logged, abs(high) / logged)), more if low > 0 else less
    if low < 0:
        ends = [min(end, 1.0) for end in ends]  # nothing costs less than nothing
    return f"{abs(value.gain) / logged:.0%} {word} than what was logged ({ends[0]:.0%} to {ends[1]:.0%})"
