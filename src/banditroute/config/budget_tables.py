"""The table of one budget: a pace (usd_per_request) or a cap (usd and per)."""

from __future__ import annotations

from pydantic import Field, PrivateAttr, field_validator, model_validator

from banditroute.config.provider_tables import Name
from banditroute.config.table import Table
from banditroute.errors import ConfigError
from banditroute.routing.budgets import Cap, OnExhausted, PacedBudget, Per, Scope, budget_of

GLOBAL = "global"


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
    paced: bool | None = Field(
        default=None,
        description="of a cap: whether it also steers the choice, so that its money lasts until its window ends; left "
        "out: true",
        examples=[True],
    )
    carry: bool | None = Field(
        default=None,
        description="of a cap: whether what a window leaves unspent is added to the next one, at most one window's "
        "worth; left out: false",
        examples=[False],
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
        self._budget = budget_of(
            name=self.name,
            scope=self.scope,
            usd_per_request=self.usd_per_request,
            usd=self.usd,
            per=self.per,
            on_exhausted=self.on_exhausted,
            paced=self.paced,
            carry=self.carry,
        )
        return self

    @property
    def value(self) -> PacedBudget | Cap:
        """The budget."""
        return self._budget
