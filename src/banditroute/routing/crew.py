"""The newcomers among a decider's models, as arrays: what their rollout makes of one decision."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.learning.rollout import RolloutSettings, bent

from .rules import Limits, Situation
from .standings import ROLLED_BACK, Review, Standing, Usual

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Crew(NamedTuple):
    """The newcomers among K models.

    Attributes:
        standings: where each stands, by name.
        arms: their positions, by name.
        young, rolled_back: (K,) who they are.
        most: (K,) the largest share that each model may get.
        doubt: (K,) how many times more each model is expected to cost than is likely.
        requests: (K,) how many each served, with those under way; kept current.
    """

    standings: dict[str, Standing]
    arms: dict[str, int]
    young: Bools
    rolled_back: Bools
    most: Floats
    doubt: Floats
    requests: Floats

    @classmethod
    def of(cls, review: Review, found: Iterable[Standing], usual: Usual) -> Crew:
        """The crew that stands so."""
        standings = {each.model: each for each in found}
        every = [standings.get(name) for name in review.names]
        return cls(
            standings,
            {name: review.names.index(name) for name in standings},
            np.array([each is not None for each in every]),
            np.array([each is not None and each.stage == ROLLED_BACK for each in every]),
            np.array([1.0 if each is None else each.most for each in every]),
            usual.doubt,
            review.served.copy(),
        )

    def tally(self, name: str, requests: int) -> None:
        """Takes in requests that one of them serves; those of others do not matter."""
        arm = self.arms.get(name)
        if arm is not None:
            self.requests[arm] += requests

    def limits(self, situation: Situation, worth: Floats, settings: RolloutSettings) -> Limits:
        """The bounds (K,) on one decision."""
        eligible, share = situation.eligible, situation.cost_usd / (self.doubt * situation.budget_usd)
        barred, floor = bent(self.young, self.rolled_back, self.requests, eligible, worth, share, settings)
        most = np.where(barred, floor, self.most)
        return Limits(np.minimum(floor, most), most)
