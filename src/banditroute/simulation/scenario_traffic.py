"""Who asks when and what may be spent, as scenario files say it: `[traffic]` and `[[budgets]]`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import ConfigDict, Field, PlainValidator
from pydantic_core import PydanticCustomError

from banditroute.errors import ConfigError
from banditroute.routing.budgets import Cap, PacedBudget, budget_of
from banditroute.simulation.traffic import NOBODY, Arrivals, Floats, load_trace, poisson, shared_out, tiled
from banditroute.simulation.values import Amount, Text

START = 1_767_225_600.0
"""The instant at which simulated traffic begins: the year 2026, so that a day and a month begin with it."""

Positive = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0)]
Flag = Annotated[bool, Field(strict=True)]


def _rate_or_trace(value: object) -> float | str:
    if isinstance(value, str) and value:
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf:
        return float(value)
    raise PydanticCustomError("arrivals", "neither a rate above 0 nor the name of a trace")


Arriving = Annotated[float | str, PlainValidator(_rate_or_trace)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """When requests come, and on whose behalf.

    Attributes:
        arrivals: requests a second, at random, or a trace: a file of JSON lines with `t_s`, beside the scenario.
        stretch: seconds of the trace last so many.
        tenants: share of requests by tenant; they need not sum to one.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    arrivals: Arriving
    stretch: Positive = 1.0
    tenants: Mapping[Text, Amount] = field(default_factory=dict[str, float])

    def check(self, path: str | None) -> None:
        """Raises ConfigError for what its type does not say."""
        if self.stretch != 1.0 and not isinstance(self.arrivals, str):
            raise ConfigError("is for traces", remedy="take it out", path=path, field="traffic.stretch")
        if self.tenants and not sum(self.tenants.values()) > 0.0:
            raise ConfigError("no tenant has a share", remedy="give one", path=path, field="traffic.tenants")

    def trace(self, path: str | None) -> Floats | None:
        """The instants of one pass of its trace, stretched; None where requests come at random.

        Args:
            path: the scenario's, beside which a trace is looked for.

        Raises:
            InputError: the trace cannot be read.
        """
        if not isinstance(self.arrivals, str):
            return None
        return load_trace(Path(path or "").parent / self.arrivals) * self.stretch

    def plays(self, requests: int, seed: int, trace: Floats | None) -> Arrivals:
        """So many requests, by chance of that seed; its trace is played again and again where it is shorter."""
        rng = np.random.default_rng([seed, 4])
        if trace is None:
            assert not isinstance(self.arrivals, str), "a trace is played as it was read"
            at = poisson(self.arrivals, requests, START, rng)
        else:
            at = tiled(trace, requests, START)
        return shared_out(at, self.tenants or NOBODY, rng)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One budget, with the keys that router.toml has for it."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    name: Text | None = None
    scope: Text = "global"
    usd_per_request: Positive | None = None
    usd: Positive | None = None
    per: Literal["day", "month"] | None = None
    on_exhausted: Literal["cheapest", "reject"] | None = None
    paced: Flag | None = None
    carry: Flag | None = None

    def value(self, number: int, path: str | None) -> PacedBudget | Cap:
        """The budget; raises ConfigError where its keys do not fit together."""
        try:
            budget = budget_of(
                name=self.name,
                scope=self.scope,
                usd_per_request=self.usd_per_request,
                usd=self.usd,
                per=self.per,
                on_exhausted=self.on_exhausted,
                paced=self.paced,
                carry=self.carry,
            )
        except ConfigError as error:
            key = f"budgets[{number}]" + (f".{error.field}" if error.field else "")
            raise ConfigError(error.problem, remedy=error.remedy, path=path, field=key) from None
        if self.on_exhausted == "reject":
            problem, remedy = "every request of a table is answered here", 'write "cheapest"'
            raise ConfigError(problem, remedy=remedy, path=path, field=f"budgets[{number}].on_exhausted")
        return budget
