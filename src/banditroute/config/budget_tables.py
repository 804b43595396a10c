"""The table of one budget: a pace (usd_per_request) or a cap (usd and per)."""

from __future__ import annotations

from pydantic import Field, PrivateAttr, field_validator, model_validator

from banditroute.config.provider_tables import Name
from banditroute.config.table import Table
from banditroute.errors import ConfigError
from banditroute.routing.budgets import Cap, OnExhausted, PacedBudget, Per, Scope

GLOBAL = "global"


def default_name(scope: str, per: str | None) -> str:
    """The name of a budget that has none: without its amount, so that a changed cap goes on with what is spent."""
    return f"{scope} per {per or 'request'}"


class BudgetTable(Table):
    """One budget."""

    name: Name | None = Field(
        default=None,
        description='unique; what is spent is kept under it; left out: "SCOPE per day" and so on',
        examples=["all"],
    )
    scope: str = Field(default=GLOBAL, description="the requests that it covers: global | tenant:NAME | task:NAME")
    usd_per_request: float | None = Field(
        default=None,
        description="a pace: mean dollars per request; steers the choice, never refuses",
        examples=[0.0005],
    )
    usd: float | None = Field(default=None, gt=0, description="a cap: dollars in each `per`", examples=[20.0])
    per: Per | None = Field(default=None, description="of a cap: day | month, in UTC", examples=["day"])
    on_exhausted: OnExhausted | None = Field(
        default=None, description="of a cap: cheapest | reject; left out: cheapest", examples=["cheapest"]
    )
    _budget: PacedBudget | Cap = PrivateAttr()

    @field_validator("scope")
    @classmethod
    def _check_scope(cls, scope: str) -> str:
        try:
            return str(Scope.parse(scope))
        except ConfigError as error:
            raise ConfigError(error.problem, remedy=error.remedy) from None  # the place says which key

    @model_validator(mode="after")
    def _build(self) -> BudgetTable:
        scope = Scope.parse(self.scope)
        name = self.name or default_name(self.scope, self.per)
        self._budget = self._paced(name, scope) if self.usd is None else self._cap(name, scope, self.usd)
        return self

    @property
    def value(self) -> PacedBudget | Cap:
        """The budget."""
        return self._budget

    def _paced(self, name: str, scope: Scope) -> PacedBudget:
        if self.usd_per_request is None:
            remedy = 'give usd_per_request (a pace), or usd and per = "day" (a cap)'
            raise ConfigError("a budget without an amount", remedy=remedy)
        for key in ("per", "on_exhausted"):
            if getattr(self, key) is not None:
                raise ConfigError(
                    "is for caps", remedy="take it out, or give usd instead of usd_per_request", field=key
                )
        return PacedBudget(name, self.usd_per_request, scope)

    def _cap(self, name: str, scope: Scope, usd: float) -> Cap:
        if self.usd_per_request is not None:
            remedy = "make them two budgets: both hold at once"
            raise ConfigError("a budget is a pace or a cap, not both", remedy=remedy, field="usd_per_request")
        if self.per is None:
            raise ConfigError("missing", remedy='write "day" or "month"', field="per")
        return Cap(name, usd, self.per, scope, self.on_exhausted or "cheapest")
