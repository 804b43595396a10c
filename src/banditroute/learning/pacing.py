"""Pacing a budget: a shadow price in dollars that learns, and the arithmetic of a token bucket.

The shadow price is the dual of "mean dollars per request <= budget": the quality points that one budget-worth of
dollars must earn. It rises while spending runs ahead and falls while it lags (multiplicative steps; Agrawal and
Devanur, 2014, for the dual view). The bucket's level bends it in proportion, so that the average
holds, not only the trend.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from .kinds import ARRAYS, Kind

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Amount = Any
"""An array of numbers, one for each budget, or the number of a single one."""


_IMMATERIAL = 0.02  # budgets per request that a lower price must spend more for it to be worth falling to


@dataclass(frozen=True, slots=True)
class Pacing:
    """Constants of the pacer.

    Attributes:
        start_price: shadow price before anything is spent, quality points per budget-worth.
        step: log-price step per unit of overspend.
        memory: weight of the newest request in the running spend.
        most_overspend: overspend (in budgets) beyond which a step grows no further.
        bucket_requests: size of the bucket, in requests' worth of budget.
        level_gain: how strongly the bucket's level bends the price.
        most_shortfall: bucket shortfall (in buckets) beyond which it bends no further.
        most_debt: buckets that may be overdrawn and must be paid back; what lies beyond is forgiven.
        anchor_step: how fast the anti-windup anchor follows the price.
        anchor_decay: how fast it sinks while the budget is slack.
        anchor_depth: how far below its anchor the price may fall.
        most_fall: how far a re-solve may lower the log price: a few early contexts must not give dollars away.
        least_price: the price never falls below; most_price: nor rises above.
    """

    start_price: float = 0.02
    step: float = 0.01
    memory: float = 0.05
    most_overspend: float = 3.0
    bucket_requests: float = 120.0
    level_gain: float = 3.0
    most_shortfall: float = 1.0
    most_debt: float = math.inf
    anchor_step: float = 0.01
    anchor_decay: float = 0.003
    anchor_depth: float = 0.2
    most_fall: float = 1.0
    least_price: float = 1e-6
    most_price: float = 5.0


class Pace(NamedTuple):
    """State of one paced budget; every field is a number live, and (R,) for R replications.

    Attributes:
        log_price: log of the shadow price.
        spend: running mean of dollars over budget.
        anchor: log price that the anti-windup floor hangs from.
        level: bucket level in requests' worth of budget; full at `bucket_requests`, below 0 when overdrawn.
    """

    log_price: Amount
    spend: Amount
    anchor: Amount
    level: Amount


def started(shape: tuple[int, ...], pacing: Pacing) -> Pace:
    """A pacer that has seen nothing, its bucket half full."""
    log_price = np.full(shape, np.log(pacing.start_price))
    return Pace(log_price, np.ones(shape), log_price.copy(), np.full(shape, 0.5 * pacing.bucket_requests))


def shadow_price(pace: Pace, pacing: Pacing, kind: Kind = ARRAYS) -> Amount:
    """Quality points that one budget-worth of dollars must earn now."""
    return kind.exp(pace.log_price + pacing.level_gain * _shortfall(pace.level, pacing, kind))


def _shortfall(level: Amount, pacing: Pacing, kind: Kind) -> Amount:
    """How far the bucket is from half full, in buckets."""
    return kind.least(0.5 - level / pacing.bucket_requests, pacing.most_shortfall)


def stepped(pace: Pace, cost_share: Amount, pacing: Pacing, kind: Kind = ARRAYS) -> Pace:
    """The pacer after one request that cost cost_share budgets.

    The anchor follows the price only while the budget binds, so a stretch of cheap prices cannot wind the dual up: when
    prices return, the price is at most `anchor_depth` away from where it was needed.
    """
    spend = pace.spend + pacing.memory * (cost_share - pace.spend)
    overspend = kind.least(kind.most(spend - 1.0, -1.0), pacing.most_overspend)
    log_price = pace.log_price + pacing.step * overspend
    binding = spend > 0.9
    anchor = pace.anchor + kind.where(binding, pacing.anchor_step * (log_price - pace.anchor), -pacing.anchor_decay)
    least = kind.most(anchor + math.log(pacing.anchor_depth), math.log(pacing.least_price))
    log_price = kind.least(kind.most(log_price, least), math.log(pacing.most_price))
    level = refilled(pace.level, cost_share, pacing.bucket_requests, kind)
    return Pace(log_price, spend, anchor, kind.most(level, -pacing.most_debt * pacing.bucket_requests))


def refilled(level: Amount, cost_share: Amount, capacity: float, kind: Kind = ARRAYS) -> Amount:
    """Bucket level after one request's refill (1) and its cost, never above capacity.

    Any window of n requests that starts at a level within capacity and never overdraws costs at most n + capacity.
    """
    return kind.least(level + 1.0 - cost_share, capacity)


def rescaled(pace: Pace, ratio: Floats, pacing: Pacing) -> Pace:
    """The pacer under a new budget, ratio being the old one over it: a dollar keeps its price, the bucket starts anew.

    What was saved or overdrawn belongs to the old budget. Were it carried over, a stretch under a small budget would
    pay back for hundreds of requests what one under a large budget overspent in ten.
    """
    fall = np.log(ratio)
    level = np.full_like(pace.level, 0.5 * pacing.bucket_requests)
    return Pace(pace.log_price - fall, pace.spend * ratio, pace.anchor - fall, level)


def spent(pace: Pace, pacing: Pacing) -> Pace:
    """The pacer with its bucket half full at most: what was saved is not carried over, what is owed is."""
    return pace._replace(level=np.minimum(pace.level, 0.5 * pacing.bucket_requests))


def unbent(pace: Pace, pacing: Pacing) -> Pace:
    """The pacer whose shadow price is its log price as it stands, whatever the bucket's level is."""
    bent = pacing.level_gain * _shortfall(pace.level, pacing, ARRAYS)
    return pace._replace(log_price=pace.log_price - bent, anchor=pace.anchor - bent)


def as_drawn(quality: Floats, sd: Floats) -> Floats:
    """Qualities (W, ..., K) as they would be drawn, by normal scores that cover their range evenly and never change.

    A price that is solved from expected qualities alone forgets that models which little is known of are drawn more
    often than they deserve; dear ones among them would overspend the budget.
    """
    normal = _normal_scores(quality.shape[0], quality.shape[-1])
    return quality + normal.reshape(-1, *([1] * (quality.ndim - 2)), quality.shape[-1]) * sd


def _normal_scores(points: int, dimensions: int) -> Floats:
    """(points, dimensions) normals that fill their space evenly: the R sequence of Roberts (2018), made normal."""
    root = 2.0
    for _ in range(40):
        root = (1.0 + root) ** (1.0 / (dimensions + 1))  # of x^(d+1) = x + 1
    even = (0.5 + np.arange(1, points + 1)[:, None] * root ** -np.arange(1.0, dimensions + 1)) % 1.0
    return np.asarray(ndtri(np.clip(even, 1e-6, 1.0 - 1e-6)), dtype=np.float64)


def resolved(pace: Pace, quality: Floats, cost_share: Floats, pacing: Pacing, *, nearest: bool = False) -> Pace:
    """The pacer re-set to the price at which recent contexts would have cost the budget (bisection on the log price).

    Args:
        pace: the pacer; its level is kept.
        quality: (W, ..., K) expected quality of recent contexts, -inf where not eligible.
        cost_share: (W, ..., K) their expected dollars over budget.
        pacing: constants.
        nearest: of the prices that spend as much, take the one nearest to the price before: where a fall to the brink
            would buy nothing, a brink is no place to be.
    """
    low = np.maximum(np.log(pacing.least_price), pace.log_price - pacing.most_fall)
    high = np.full(pace.log_price.shape, np.log(pacing.most_price))

    def spend(log_price: Floats) -> Floats:
        arm = (quality - np.exp(log_price)[..., None] * cost_share).argmax(-1)
        return np.take_along_axis(cost_share, arm[..., None], -1)[..., 0].mean(0)

    _, least = _parted(low, high, lambda log_price: spend(log_price) > 1.0)
    if nearest:
        worthwhile = spend(least) - _IMMATERIAL
        highest = np.maximum(least, pace.log_price)
        least, _ = _parted(least, highest, lambda log_price: spend(log_price) >= worthwhile)
    return Pace(least, np.ones_like(pace.spend), least.copy(), pace.level)


def _parted(low: Floats, high: Floats, holds: Callable[[Floats], Bools]) -> tuple[Floats, Floats]:
    """Bounds drawn together around the point below which something holds and above which it does not."""
    for _ in range(30):
        middle = 0.5 * (low + high)
        below = holds(middle)
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return low, high
