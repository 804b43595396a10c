"""Is a shadow safe to turn on? What it would have done beside what was done: agreement, win rate, quality, dollars.

By forecasts: what the shadow's own beliefs expected of either choice when it was made. That needs no chance in the
router, and it is all there is where callers name the model; but no outcome of the shadow's own choices is in it. By
weights: what the outcomes of decisions that were left to chance say, see `shadow_measured`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .beside import Beside
from .results import Interval

Floats = NDArray[np.float64]
Basis = Literal["forecasts", "weights"]

ENOUGH = 100
"""Decisions below which no verdict is given."""

MARGIN = 0.01
"""Quality points by which a policy that is called safe may be worse."""

_Z95 = 1.959964


class Change(NamedTuple):
    """What turning the shadow on changes, per request, with its 95% interval."""

    mean: float
    ci95: Interval


@dataclass(frozen=True, slots=True)
class ShadowComparison:
    """A shadow held against what was done.

    Attributes:
        shadow: its name.
        decisions: how many both decided on.
        drawn: those of them that the router left to chance.
        agreement: share of them on which it would choose the same model.
        win_rate: share on which its choice was expected to be the better one; ties, likewise alike, left out.
        tie_rate: share on which it was expected to be as good: mostly the same model.
        cheaper_rate: share on which its choice was expected to cost less.
        quality_gain: quality points that it adds; saved_usd: dollars that it saves.
        basis: what quality_gain and saved_usd rest on; the rates are always by forecasts.
        safe: whether it is safe to turn on; None = too little is known to say either.
        verdict: the same in words.
    """

    shadow: str
    decisions: int
    drawn: int
    agreement: float
    win_rate: float
    tie_rate: float
    cheaper_rate: float
    quality_gain: Change
    saved_usd: Change
    basis: Basis
    safe: bool | None
    verdict: str


def compared(besides: Sequence[Beside], *, margin: float = MARGIN) -> ShadowComparison | None:
    """The comparison by forecasts of one shadow's decisions; None where there are none.

    Its draws are averaged over: a decision counts as a win with the shadow's probability of a better model. The interval
    of quality holds what is uncertain in the beliefs, taken to be wrong for all decisions alike, and the spread of the
    traffic; that of dollars the spread alone, for forecasts of dollars do not say how sure they are.

    Args:
        besides: the decisions.
        margin: quality points by which a policy that is called safe may be worse.
    """
    if not besides:
        return None
    same, wins, cheaper, gain, saved, unsure = np.array([_of_one(each) for each in besides]).T
    ties = np.array([_tie(each) for each in besides])
    quality_gain = _change(gain, float(unsure.mean()))
    saved_usd = _change(saved, 0.0)
    safe, verdict = judged(len(besides), quality_gain, saved_usd, margin)
    return ShadowComparison(
        shadow=besides[0].shadow,
        decisions=len(besides),
        drawn=sum(each.drawn for each in besides),
        agreement=float(same.mean()),
        win_rate=float(wins.mean()),
        tie_rate=float(ties.mean()),
        cheaper_rate=float(cheaper.mean()),
        quality_gain=quality_gain,
        saved_usd=saved_usd,
        basis="forecasts",
        safe=safe,
        verdict=f"{verdict} {_FORECASTS}",
    )


def by_shadow(besides: Iterable[Beside]) -> dict[str, list[Beside]]:
    """The decisions of each shadow, by its name, in the order of their first."""
    groups: dict[str, list[Beside]] = {}
    for each in besides:
        groups.setdefault(each.shadow, []).append(each)
    return groups


def judged(decisions: float, quality: Change, saved: Change, margin: float) -> tuple[bool | None, str]:
    """Whether it is safe to turn on, and that in words.

    Safe is: not worse by more than the margin at the interval's worst end, and not dearer unless it is better.
    """
    if decisions < ENOUGH:
        return None, f"No verdict yet: {decisions:,.0f} decisions, and {ENOUGH} are needed."
    change = f"quality {quality.mean:+.3f} ({quality.ci95.low:+.3f} to {quality.ci95.high:+.3f})"
    if quality.ci95.high < -margin:
        return False, f"Not safe to turn on: {change}, {_dollars(saved)}."
    if not quality.ci95.low >= -margin:
        return None, f"Not shown to be safe: {change}, which may be worse by more than {margin:g}; {_dollars(saved)}."
    if saved.ci95.high < 0 and not quality.ci95.low > 0:
        return False, f"Not worth turning on: {change}, {_dollars(saved)}."
    return True, f"Safe to turn on: {change}, {_dollars(saved)}."


_FORECASTS = "By forecasts: no outcome of its own choices was seen."


class _One(NamedTuple):
    """One decision; unsure is the sd of its gain."""

    same: float
    win: float
    cheaper: float
    gain: float
    saved_usd: float
    unsure: float


def _of_one(beside: Beside) -> _One:
    own, others = beside.expected[beside.chosen], list(beside.likely())
    return _One(
        same=beside.propensities.get(beside.chosen, 0.0),
        win=sum(p for p, other in others if other.quality > own.quality),
        cheaper=sum(p for p, other in others if other.cost_usd < own.cost_usd),
        gain=sum(p * (other.quality - own.quality) for p, other in others),
        saved_usd=sum(p * (own.cost_usd - other.cost_usd) for p, other in others),
        unsure=sum(p * math.hypot(other.quality_sd, own.quality_sd) for p, other in others),
    )


def _tie(beside: Beside) -> float:
    own = beside.expected[beside.chosen]
    equal = sum(p for p, other in beside.likely() if other.quality == own.quality)
    return equal + beside.propensities.get(beside.chosen, 0.0)


def _change(values: Floats, unsure: float) -> Change:
    mean = float(values.mean())
    spread = float(values.var(ddof=1)) / values.size if values.size > 1 else math.inf
    half = _Z95 * math.sqrt(spread + unsure**2)
    return Change(mean, Interval(mean - half, mean + half))


def _dollars(saved: Change) -> str:
    low, high = saved.ci95
    if saved.mean < 0:
        return f"${-saved.mean:.3g} more per request (${-high:.3g} to ${-low:.3g})"
    return f"${saved.mean:.3g} saved per request (${low:.3g} to ${high:.3g})"
