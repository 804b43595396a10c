"""The table that says how newcomers get their chance."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import Field, field_validator

from banditroute.config.table import Table
from banditroute.errors import ConfigError
from banditroute.learning.rollout import CanaryFor, RolloutSettings

_DEFAULT = RolloutSettings()
Share = Annotated[float, Field(gt=0, lt=1)]


class RolloutTable(Table):
    """How a model that comes while others are in use gets its chance."""

    trial_requests: int = Field(
        default=_DEFAULT.trial_requests,
        ge=1,
        description="requests that it is sure to get, if each is expected to fit in the paced budgets",
    )
    trial_share: float = Field(
        default=_DEFAULT.trial_share,
        ge=0,
        lt=1,
        description="share of the requests that all trials together take; 0 = no trials",
    )
    tolerance: float = Field(
        default=_DEFAULT.tolerance,
        ge=0,
        le=1,
        description="quality points per request that traffic may lose to it; more, and it is rolled back",
    )
    confidence: float = Field(
        default=_DEFAULT.confidence, gt=0.5, lt=1, description="how sure to be before that, and before a canary goes on"
    )
    probe_share: float = Field(
        default=_DEFAULT.probe_share,
        ge=0,
        lt=1,
        description="share of the requests that it gets after that all the same, if they fit in the budgets, so that a "
        "later improvement is found",
    )
    canary: CanaryFor = Field(
        default=_DEFAULT.canary,
        description="who goes through the stages: dearer (than every model in use) | all | none",
    )
    stages: list[Share] = Field(
        default=list(_DEFAULT.stages), description="most of the requests at each stage, ascending; then it is open"
    )

    @field_validator("stages")
    @classmethod
    def _check_ascending(cls, stages: list[float]) -> list[float]:
        if any(later <= earlier for earlier, later in pairwise(stages)):
            raise ConfigError("a stage is no larger than the one before", remedy="write them ascending")
        return stages

    def value(self) -> RolloutSettings:
        """The settings."""
        return RolloutSettings(**self.model_dump(exclude={"stages"}), stages=tuple(self.stages))
