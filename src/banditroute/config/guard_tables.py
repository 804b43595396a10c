"""The table of guard rails: what keeps the router from what it should not do."""

from __future__ import annotations

from pydantic import Field

from banditroute.config.provider_tables import Name
from banditroute.config.table import Table
from banditroute.learning.guard import Conservative
from banditroute.learning.knowing import Known
from banditroute.routing.guards import GuardSettings

_TERMS, _KNOWN = Conservative(), Known()


class GuardTable(Table):
    """What keeps live decisions from what you do not want."""

    only: Name | None = Field(
        default=None,
        description="kill switch: every request that names no model goes to this one while it can serve",
        examples=["small"],
    )
    freeze: bool = Field(
        default=False, description="true: nothing is tried; the model expected to be best serves, and learning goes on"
    )
    most_exploration: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="most of a decision's probability that goes to models not expected to be best",
        examples=[0.05],
    )
    explore_usd_per_day: float | None = Field(
        default=None,
        ge=0,
        description="dollars a day (UTC) that such models may be expected to cost beyond the best",
        examples=[1.0],
    )
    baseline: Name | None = Field(
        default=None,
        description="conservative mode: quality stays close to what this model alone would have got",
        examples=["small"],
    )
    alpha: float = Field(
        default=_TERMS.alpha, gt=0, lt=1, description="share of the baseline's quality that may be lost"
    )
    confidence: float = Field(
        default=_TERMS.confidence, gt=0.5, lt=1, description="that no more is lost, at any one moment"
    )
    saved_requests: float = Field(
        default=_TERMS.saved_requests,
        gt=0,
        description="requests whose alpha may be saved up: what a good past earned beyond it allows no harm later",
    )
    stop_exploring_at: float | None = Field(
        default=None,
        gt=0.5,
        lt=1,
        description="a task class tries nothing more at this confidence that its best model is known",
        examples=[_KNOWN.confidence],
    )
    tolerance: float = Field(
        default=_KNOWN.tolerance, ge=0, le=1, description="quality points by which another model may still be better"
    )

    def value(self) -> GuardSettings:
        """The settings."""
        at = self.stop_exploring_at
        return GuardSettings(
            only=self.only,
            freeze=self.freeze,
            most_exploration=self.most_exploration,
            explore_usd_per_day=self.explore_usd_per_day,
            baseline=self.baseline,
            terms=Conservative(self.alpha, self.confidence, self.saved_requests),
            known=None if at is None else Known(at, self.tolerance),
        )
