"""The tables that say what whoever runs the router is told, and where."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from banditroute.alerting.settings import KINDS, PLACES, AlertSettings, Kind, Place, WebhookSettings
from banditroute.config.alert_places import check_no_secret, check_url
from banditroute.config.secrets import checked_variable
from banditroute.config.table import Table
from banditroute.errors import ConfigError

_DEFAULT, _WEBHOOK = AlertSettings(), WebhookSettings()
_HOUR_S = 3_600.0
Mark = Annotated[float, Field(gt=0, le=1)]


class WebhookTable(Table):
    """Where alerts are posted; without url and url_env nowhere."""

    url: str | None = Field(
        default=None,
        min_length=1,
        description="where alerts are posted, where that is no secret",
        examples=["https://alerts.example.com/banditroute"],
    )
    url_env: str | None = Field(
        default=None,
        description="the environment variable that holds the URL, in place of url",
        examples=["BANDITROUTE_ALERTS_URL"],
    )
    secret_env: str | None = Field(
        default=None,
        description="the environment variable that holds the secret by which posts are signed (HMAC-SHA256)",
        examples=["BANDITROUTE_ALERTS_SECRET"],
    )
    timeout_s: float = Field(default=_WEBHOOK.timeout_s, gt=0, le=60, description="seconds for one attempt")
    attempts: int = Field(default=_WEBHOOK.attempts, ge=1, le=10, description="how often a post is tried")

    @field_validator("url_env", "secret_env")
    @classmethod
    def _check_variable(cls, name: str | None) -> str | None:
        return None if name is None else checked_variable(name)

    @model_validator(mode="after")
    def _check_place(self) -> WebhookTable:
        if self.url is not None:
            check_url(self.url)
            check_no_secret(self.url)
        return self

    def value(self) -> WebhookSettings:
        """The settings."""
        return WebhookSettings(self.url or "", self.url_env or "", self.secret_env or "", self.timeout_s, self.attempts)


class AlertsTable(Table):
    """What whoever runs the router is told, and where; what is not told is on record all the same."""

    kinds: list[Kind] = Field(default=list(KINDS), description="what is told; [] = nothing")
    to: list[Place] = Field(
        default=list(PLACES),
        description="log: the gateway's own, or Python's logger banditroute.alerts | dashboard | webhook",
    )
    budget_marks: list[Mark] = Field(
        default=list(_DEFAULT.budget_marks), description="shares of a cap, ascending: told as spending comes to them"
    )
    forecast_margin: float = Field(
        default=_DEFAULT.forecast_margin,
        ge=0,
        le=10,
        description="share of a cap by which its window is expected to go beyond it, until that is told",
    )
    hold_s: float = Field(
        default=_DEFAULT.hold_s, ge=0, description="seconds for which a forecast has to stand until it is told"
    )
    down_s: float = Field(
        default=_DEFAULT.down_s,
        gt=0,
        description="seconds for which a model or provider cannot be called, until that is told",
    )
    over_s: float = Field(
        default=_DEFAULT.over_s, ge=0, description="seconds for which it, or the store, works again until that is told"
    )
    silent_times: float = Field(
        default=_DEFAULT.silent_times,
        gt=1,
        description="times its usual gap for which a source or task class gives no judgement while requests go on",
    )
    silent_least_s: float = Field(
        default=_DEFAULT.silent_least_s, ge=0, description="seconds that such a silence lasts at least"
    )
    repeat_hours: float = Field(
        default=_DEFAULT.repeat_s / _HOUR_S,
        ge=0,
        description="hours after which what still goes on is told again; 0 = never",
    )
    webhook: WebhookTable = Field(default_factory=WebhookTable, description="where alerts are posted as JSON")

    @field_validator("budget_marks")
    @classmethod
    def _check_ascending(cls, marks: list[float]) -> list[float]:
        if any(later <= earlier for earlier, later in pairwise(marks)):
            raise ConfigError("a mark is no larger than the one before", remedy="write them ascending")
        return marks

    def value(self) -> AlertSettings:
        """The settings."""
        return AlertSettings(
            kinds=frozenset(self.kinds),
            to=frozenset(self.to),
            budget_marks=tuple(self.budget_marks),
            forecast_margin=self.forecast_margin,
            hold_s=self.hold_s,
            down_s=self.down_s,
            over_s=self.over_s,
            silent_times=self.silent_times,
            silent_least_s=self.silent_least_s,
            repeat_s=self.repeat_hours * _HOUR_S,
            webhook=self.webhook.value(),
        )
