"""What a part of a month's decisions amounts to; dollars are whole numbers of 1e-12, so that parts sum to the whole."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from banditroute.routing.accounts import PICOS


def picos(usd: float) -> int:
    """The amount in 1e-12 dollars; what is not finite counts for nothing, as in the store's own sums."""
    return round(usd * PICOS) if math.isfinite(usd) else 0


@dataclass(slots=True)
class Sums:
    """Sums over decisions.

    Attributes:
        requests: decisions, but for calls of judges; judge_calls: those.
        still_open: of both, those without an outcome; failed: without a whole answer.
        picos: 1e-12 dollars of all of them, judges' calls too.
        estimated: decisions whose dollars are estimates; estimated_picos: these dollars.
        input_tokens, output_tokens: as billed, or as estimated where the provider did not say.
        unmetered: decisions with an outcome of which nobody knows the tokens.
        judged: requests that were judged; quality_sum: of their mean judgements; square_sum: of the squares.
    """

    requests: int = 0
    judge_calls: int = 0
    still_open: int = 0
    failed: int = 0
    picos: int = 0
    estimated: int = 0
    estimated_picos: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    unmetered: int = 0
    judged: int = 0
    quality_sum: float = 0.0
    square_sum: float = 0.0

    @property
    def usd(self) -> float:
        """Dollars of all of them."""
        return self.picos / PICOS

    @property
    def estimated_usd(self) -> float:
        """Dollars of those that are estimates."""
        return self.estimated_picos / PICOS

    @property
    def quality(self) -> float:
        """Mean over judged requests; nan where there are none."""
        return self.quality_sum / self.judged if self.judged else math.nan

    @property
    def quality_sd(self) -> float:
        """Standard deviation among judged requests; nan where there are fewer than two."""
        if self.judged < 2:
            return math.nan
        spread = max(self.square_sum - self.quality_sum**2 / self.judged, 0.0)
        return math.sqrt(spread / (self.judged - 1))

    @property
    def usd_per_request(self) -> float:
        """Dollars over requests; nan where there are none."""
        return self.usd / self.requests if self.requests else math.nan

    def judge(self, quality: float) -> None:
        """Takes in how good one request's answer was."""
        self.judged += 1
        self.quality_sum += quality
        self.square_sum += quality**2

    def add(self, other: Sums) -> None:
        """Takes in another part."""
        self.requests += other.requests
        self.judge_calls += other.judge_calls
        self.still_open += other.still_open
        self.failed += other.failed
        self.picos += other.picos
        self.estimated += other.estimated
        self.estimated_picos += other.estimated_picos
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.unmetered += other.unmetered
        self.judged += other.judged
        self.quality_sum += other.quality_sum
        self.square_sum += other.square_sum


def total_of(parts: Iterable[Sums]) -> Sums:
    """All parts together."""
    total = Sums()
    for each in parts:
        total.add(each)
    return total
