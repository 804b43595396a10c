"""Where newcomers stand, as read from a decider's beliefs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.learning.posterior import Posterior
from banditroute.learning.rollout import Comparison, RolloutSettings, compared, shown_by
from banditroute.records import Forecast

from .lessons import tokens_of
from .rules import Believed

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

TRIAL, OPEN, ROLLED_BACK = "trial", "open", "rolled back"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a newcomer stands.

    Attributes:
        model: its name.
        stage: "trial", "canary 5%", "open" or "rolled back".
        most: the largest share of the requests that it may get.
        requests: how many it served.
        judged: how many of them were judged.
        gain: utility gained by it so far, quality points for each of its requests, beside the best other model.
        radius: how far off that may be with the confidence asked for; infinite while nothing is judged.
    """

    model: str
    stage: str
    most: float
    requests: int
    judged: float
    gain: float
    radius: float

    @property
    def reason(self) -> str:
        """Why it stands there, in one line."""
        if not self.judged:
            return "nothing is judged yet"
        return f"{self.gain:+.3f} ± {self.radius:.3f} quality points a request, of {self.judged:.0f} judged"


class Usual(NamedTuple):
    """Dollars (K,) of each model's requests, were they the usual ones.

    Attributes:
        expected_usd: as they are expected to be; of a model that hardly served this is mostly doubt, for the mean of
            an unknown length is a long one.
        likely_usd: the same, but the answers of such a model as long as those of the others.
    """

    expected_usd: Floats
    likely_usd: Floats

    @property
    def doubt(self) -> Floats:
        """How many times more (K,) is expected than is likely."""
        return np.divide(
            self.expected_usd, self.likely_usd, out=np.ones_like(self.likely_usd), where=self.likely_usd > 0
        )


class Review:
    """What is known of K models, at the instant that it is made."""

    def __init__(self, beliefs: Believed) -> None:
        self._beliefs = beliefs
        self._evidence = beliefs.signals.evidence
        self.names = beliefs.catalog.names
        self.served: Floats = np.max([signal.n.sum(0) for signal in self._evidence], axis=0)
        self.routed: Bools = np.array([model.routed for model in beliefs.catalog], dtype=bool)

    def compared(self, arm: int, others: Bools, settings: RolloutSettings) -> Comparison:
        """A model beside the best of others (K,), by what the requests that it served got and would have got."""
        block, noise = self._beliefs.signals.posterior
        models = len(self.names)
        quality = Posterior(block[:, :models], noise[:, :models])
        return compared(shown_by(arm, self._evidence[0], quality, self._priced, others), settings)

    def typical_usd(self, arms: Bools, enough: float) -> Usual:
        """What each model's requests cost, were they those that some of the models served.

        Args:
            arms: (K,) the models that served them.
            enough: requests after which a model's answers are known to be as long as they are.
        """
        sums = max(self._evidence, key=lambda signal: float(signal.n[:, arms].sum()))
        n = sums.n[:, arms].sum(1)
        rows = np.flatnonzero(n > 0)
        expected, alike = np.zeros((2, rows.size, len(self.names)))
        for place, row in enumerate(rows.tolist()):
            x = sums.A[row, arms, 0, :].sum(0) / n[row]
            forecasts = self._forecasts(row, x)
            expected[place] = [each.cost_usd for each in forecasts]
            length = float(np.mean([each.output_tokens for each in forecasts], where=arms))
            alike[place] = [model.price.estimate_usd(tokens_of(x), length) for model in self._beliefs.catalog]
        mean, as_long = np.average((expected, alike), axis=1, weights=n[rows])
        return Usual(mean, np.where(self.served < enough, as_long, mean))

    def _priced(self, x: Floats) -> Floats:
        """Quality points (C, K) that dollars and seconds are worth, at inputs (C, X); zeros where there are none."""
        points = np.zeros((x.shape[0], len(self.names)))
        for row in np.flatnonzero(x[:, 0]).tolist():
            points[row] = [self._beliefs.points(each) for each in self._forecasts(row, x[row])]
        return points

    def _forecasts(self, row: int, x: Floats) -> list[Forecast]:
        return list(self._beliefs.forecasts(self._beliefs.tasks[row], tokens_of(x), tuple(x[2:].tolist())).values())
