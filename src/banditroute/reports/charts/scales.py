"""What stands along an axis: dollars, qualities, percents, requests, hours."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from banditroute.reports import format as write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Texts = Callable[[Sequence[float]], Sequence[str]]
"""Writes the ticks of one axis, all with as many decimals as it takes."""

_LEAST_SPAN = 3.0
_MOST_DECIMALS = 12


def dollar_axis(axes: Axes, costs_usd: Sequence[float], most_ticks: int = 6) -> float:
    """Gives axes a logarithmic dollar scale over the costs, and returns where on it a cost of nothing is drawn."""
    known = [cost for cost in costs_usd if cost > 0 and math.isfinite(cost)]
    low, high = (min(known), max(known)) if known else (0.001, 0.1)
    free = low / 4
    has_free = any(cost == 0 for cost in costs_usd)
    axes.set_xscale("log")
    axes.tick_params(axis="x", length=4)
    pad = max((high / low) ** 0.06 * 1.06, math.sqrt(_LEAST_SPAN * low / high))
    axes.set_xlim((free if has_free else low) / pad, high * pad)
    ticks = dollar_ticks(low if has_free else low / pad, high * pad, most_ticks - has_free)
    names = [write.money(tick, 1) for tick in ticks]
    set_ticks(axes, [free, *ticks] if has_free else ticks, ["free", *names] if has_free else names)
    return free


def dollar_ticks(low_usd: float, high_usd: float, most: int) -> list[float]:
    """Round dollar values between two bounds, at most so many; at least one where the bounds are a factor 2.5 apart."""
    exponents = range(math.floor(math.log10(low_usd)), math.ceil(math.log10(high_usd)) + 1)
    choices = [[m * 10.0**e for e in exponents for m in digits] for digits in ((1, 2, 5), (1, 3), (1,))]
    choices += [[10.0**e for e in exponents[::step]] for step in (2, 3, 4)]
    inside = [[tick for tick in ticks if low_usd <= tick <= high_usd] for ticks in choices]
    return next((ticks for ticks in inside if len(ticks) <= most), inside[-1])


def quality_axis(axes: Axes, values: Sequence[float], most_ticks: int = 7) -> None:
    """Gives axes a quality scale that holds the values with a little room."""
    known = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    room = max(0.06 * (max(known) - min(known)), 0.004)
    low = max(min(known) - room, min(-0.01, min(known) - 0.01))  # what is learned may leave [0, 1]
    high = min(max(known) + room, max(1.01, max(known) + 0.01))
    axes.set_ylim(low, high)
    step = next(s for s in (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if (high - low) / s <= most_ticks)
    ticks = np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step
    axes.set_yticks(ticks, list(qualities(ticks.tolist())))


def linear_ticks(low: float, high: float, most: int) -> list[float]:
    """Round values between two bounds, evenly apart, at most so many."""
    if not high > low:
        return [low]
    magnitude = 10.0 ** math.floor(math.log10((high - low) / most))
    steps = (magnitude * factor for factor in (1.0, 2.0, 5.0, 10.0, 20.0))
    step = next(step for step in steps if math.floor(high / step) - math.ceil(low / step) < most)
    return [step * n for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def qualities(ticks: Sequence[float]) -> Sequence[str]:
    """Qualities with two decimals, or with more where that is too coarse; differences keep their sign."""
    return [write.quality(tick, _decimals(ticks, least=2)) for tick in ticks]


def dollars(ticks: Sequence[float]) -> Sequence[str]:
    """Dollars with one number of decimals; nothing is $0."""
    decimals = _decimals(ticks, least=2 if any(abs(tick) >= 1 for tick in ticks) else 0)
    return [write.money_to(tick, decimals) if tick else "$0" for tick in ticks]


def seconds(ticks: Sequence[float]) -> Sequence[str]:
    """Seconds, milliseconds where all are below one."""
    if max(map(abs, ticks), default=1.0) < 1:
        return [f"{1000 * tick:,.10g} ms".replace("-", "−") for tick in ticks]
    return [f"{tick:,.10g} s".replace("-", "−") for tick in ticks]


def _decimals(ticks: Sequence[float], least: int) -> int:
    """How many decimals it takes to write all of the ticks as they are."""
    enough = (n for n in range(least, _MOST_DECIMALS) if all(math.isclose(round(tick, n), tick) for tick in ticks))
    return next(enough, _MOST_DECIMALS)


def counts(ticks: Sequence[float]) -> Sequence[str]:
    """Whole numbers; what is between them stays unsaid."""
    return [write.count(round(tick)) if float(tick).is_integer() else "" for tick in ticks]


def percent_axis(axes: Axes, ticks: Sequence[float]) -> None:
    """Gives axes a scale of whole percents at the ticks."""
    axes.set_yticks(list(ticks), [write.percent(tick) for tick in ticks])


def set_ticks(axes: Axes, places: Sequence[float], names: Sequence[str]) -> None:
    """Gives a horizontal axis these ticks and no others."""
    axes.set_xticks(list(places), list(names))
    axes.set_xticks([], minor=True)
