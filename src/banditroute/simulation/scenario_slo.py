"""How few answers may be late, as scenario files say it: `[slo]`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from banditroute.routing.promises import Promise

Positive = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0)]
Share = Annotated[float, Field(strict=True, gt=0, lt=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """A promise of latency, given for every request.

    Attributes:
        latency_s: seconds after which an answer is late.
        epsilon: the share of answers that may be.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    latency_s: Positive
    epsilon: Share = 0.05

    @property
    def promise(self) -> Promise:
        """The same as the live router has it."""
        return Promise("slo", self.epsilon, latency_s=self.latency_s)
