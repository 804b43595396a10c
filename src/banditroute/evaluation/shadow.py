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
from .results import Z95, Interval
from .verdict import ENOUGH

Floats = NDArray[np.float64]
Basis = Literal["forecasts", "weights"]

MARGIN = 0.01
"""Quality points by which a policy that is called safe may be worse."""

NEWEST = 1_000
"""Decisions that a comparison by forecasts rests on: what is believed now counts, not what was believed at first."""


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
        win_rate: share on which its choice was expected to be the better one.
        tie_rate: share on which it was expected to be as good: mostly the same model.
        cheaper_rate: share on which its choice was expected to cost less.
        quality_gain: quality points that it adds; saved_usd: dollars that it saves.
        basis: what quality_gain and saved_usd rest on; the rates are always by forecasts, those of the newest.
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

    The newest of them count. The shadow's draws are averaged over: a decision counts as a win with its probability of a
    better model. The interval of quality holds the spread of the traffic and what is uncertain in the beliefs, which
    are taken to be wrong on all decisions alike; that of dollars the spread alone, for nothing says how sure a forecast
    of dollars is.

    Args:
        besides: the decisions, oldest first.
        margin: quality points by which a policy that is called safe may be worse.
    """
    if not besides:
        return None
    each = _One(*np.array([_of_one(beside) for beside in besides[-NEWEST:]]).T)
    quality_gain = _change(each.gain, float(each.unsure.mean()))
    saved_usd = _change(each.saved_usd, 0.0)
    safe, verdict = judged(len(besides), quality_gain, saved_usd, margin)
    return ShadowComparison(
        shadow=besides[0].shadow,
        decisions=len(besides),
        drawn=sum(beside.drawn for beside in besides),
        agreement=float(each.same.mean()),
        win_rate=float(each.win.mean()),
        tie_rate=float(each.tie.mean()),
        cheaper_rate=float(each.cheaper.mean()),
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
        return None, f"No verdict yet: {math.floor(decisions):,} decisions, and {ENOUGH:.0f} are needed."
    change = in_words(quality, saved)
    if quality.ci95.high < -margin:
        return False, f"Not safe to turn on: {change}."
    if not quality.ci95.low >= -margin:
        return None, f"Not shown to be safe, for it may be worse by more than {margin:g}: {change}."
    if saved.ci95.high < 0 and not quality.ci95.low > 0:
        return False, f"Not worth turning on: {change}."
    return True, f"Safe to turn on: {change}."


def in_words(quality: Change, saved: Change) -> str:
    """Both changes with their intervals."""
    low, high = saved.ci95
    mean, ends = saved.mean, (low, high)
    word = "saved"
    if mean < 0:
        mean, ends, word = -mean, (-high, -low), "more"
    points = f"quality {_signed(quality.mean)} ({_signed(quality.ci95.low)} to {_signed(quality.ci95.high)})"
    return f"{points}, {_usd(mean)} {word} per request ({_usd(ends[0])} to {_usd(ends[1])})"


_FORECASTS = "By forecasts, not by outcomes of its own choices."


class _One(NamedTuple):
    """What one decision says, or (n,) what each of many does; unsure is the sd of the gain."""

    same: Floats
    win: Floats
    tie: Floats
    cheaper: Floats
    gain: Floats
    saved_usd: Floats
    unsure: Floats


def _of_one(beside: Beside) -> tuple[float, ...]:
    """The values of `_One` for a decision."""
    own, others = beside.expected[beside.chosen], list(beside.likely())
    same = beside.propensities.get(beside.chosen, 0.0)
    return (
        same,
        sum(p for p, other in others if other.quality > own.quality),
        same + sum(p for p, other in others if other.quality == own.quality),
        sum(p for p, other in others if other.cost_usd < own.cost_usd),
        sum(p * (other.quality - own.quality) for p, other in others),
        sum(p * (own.cost_usd - other.cost_usd) for p, other in others),
        sum(p * math.hypot(other.quality_sd, own.quality_sd) for p, other in others),
    )


def _change(values: Floats, unsure: float) -> Change:
    mean = float(values.mean())
    spread = float(values.var(ddof=1)) / values.size if values.size > 1 else math.inf
    half = Z95 * math.sqrt(spread + unsure**2)
    return Change(mean, Interval(mean - half, mean + half))


def _signed(points: float) -> str:
    return f"{round(points, 3) + 0.0:+.3f}"  # adding 0 takes the sign from what rounds to nothing


def _usd(amount: float) -> str:
    return f"{'-' if amount < 0 else ''}${abs(amount):.3g}"
