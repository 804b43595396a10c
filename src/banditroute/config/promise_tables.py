"""The table of one promise of latency."""

from __future__ import annotations

from pydantic import Field, PrivateAttr, model_validator

from banditroute.config.provider_tables import Name
from banditroute.config.table import Table
from banditroute.routing.promises import Promise


class PromiseTable(Table):
    """One promise: few answers are late."""

    name: Name = Field(description="unique; how it stands is kept under it", examples=["fast"])
    task: Name | None = Field(
        default=None, description="the task class that it is given for; left out: all", examples=["chat"]
    )
    latency_s: float | None = Field(
        default=None,
        description="seconds from the decision to the whole answer, after which it is late",
        examples=[8.0],
    )
    ttft_s: float | None = Field(
        default=None, description="the same of the first token, of requests that stream", examples=[1.5]
    )
    epsilon: float = Field(default=0.05, description="share of its requests that may be late")
    _promise: Promise = PrivateAttr()

    @model_validator(mode="after")
    def _build(self) -> PromiseTable:
        self._promise = Promise(self.name, self.epsilon, self.latency_s, self.ttft_s, self.task or "")
        return self

    @property
    def value(self) -> Promise:
        """The promise."""
        return self._promise
