"""The table that says how closely models are watched for changes."""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field

from banditroute.config.table import Table
from banditroute.learning.drift import QUALITIES
from banditroute.learning.policy import PolicySettings

_DAY_S = 86_400.0


class DriftTable(Table):
    """How models that change without a word are noticed."""

    watch: bool = Field(
        default=True, description="hold every answer's quality, length, seconds and bill against what was expected"
    )
    threshold: float = Field(
        default=QUALITIES.threshold,
        ge=4,
        le=100,
        description="how much must speak for a change of a model's quality, in standard deviations added up; "
        "higher: fewer false alarms, later true ones",
    )
    slack: float = Field(
        default=QUALITIES.slack,
        gt=0,
        lt=3,
        description="standard deviations of a quality that count for nothing; half of the smallest change to be found",
    )
    probation_requests: int = Field(
        default=QUALITIES.probation_requests,
        ge=0,
        description="requests after a fall for which a model is tried again now and then: its recovery is found",
    )
    half_life_days: float = Field(
        default=0.0, ge=0, description="days after which what was learned counts for half; 0 = for ever in full"
    )

    def value(self, policy: PolicySettings) -> PolicySettings:
        """The policy's settings with these."""
        half_life_s = self.half_life_days * _DAY_S or None
        if not self.watch:
            return replace(policy, drift=None, jumps=None, half_life_s=half_life_s)
        drift = replace(
            QUALITIES,
            threshold=self.threshold,
            edge_threshold=self.threshold * QUALITIES.edge_threshold / QUALITIES.threshold,
            slack=self.slack,
            probation_requests=self.probation_requests,
        )
        return replace(policy, drift=drift, half_life_s=half_life_s)
