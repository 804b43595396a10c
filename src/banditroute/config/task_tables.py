"""The tables that say what task classes there are, which requests are of them, and whose word on quality counts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from banditroute.config.provider_tables import Name
from banditroute.config.table import Table
from banditroute.config.values import OwnTask, RuleConfig
from banditroute.errors import ConfigError
from banditroute.prompts.names import LEAST_EXAMPLES, check_own_class
from banditroute.routing.trust import TrustSettings

_TRUST = TrustSettings()

Weight = Annotated[float, Field(ge=0, le=1)]


class TaskTable(Table):
    """A task class of your own, beside the shipped nine, known by examples."""

    name: Name = Field(description="what decisions and reports call it", examples=["contract_review"])
    examples: list[Name] = Field(
        description=f"prompts of the class, {LEAST_EXAMPLES} or more, as different as what will come",
        examples=[
            [
                "Is the liability clause acceptable?",
                "what if we end the lease early",
                "Whom does this NDA favour",
                "deadlines in the attached offer?",
                "red flags in section 9 please",
            ]
        ],
    )

    @model_validator(mode="after")
    def _check(self) -> TaskTable:
        check_own_class(self.name, self.examples)
        return self

    def value(self) -> OwnTask:
        """The class."""
        return OwnTask(self.name, tuple(self.examples))


class RuleTable(Table):
    """A rule that names the class of requests by their signs; the first that matches decides, before the classifier."""

    task: Name = Field(description="the class of requests that have every sign given here", examples=["code"])
    regex: str | None = Field(
        default=None,
        description="found in the last user turn or the system prompt's beginning; needs banditroute[grading]",
        examples=["(?i)stack trace|traceback"],
    )
    contains: list[Name] = Field(
        default=[], description="any of these stands there, in capitals or not; left out: whatever stands there"
    )
    metadata: dict[str, str] = Field(default={}, description="entries that the request's metadata has")
    tools: bool | None = Field(default=None, description="the request carries tools, or none", examples=[True])
    response_format: str | None = Field(
        default=None, description="the type of its response_format", examples=["json_schema"]
    )

    @model_validator(mode="after")
    def _check_signs(self) -> RuleTable:
        if not self.model_fields_set - {"task"}:
            remedy = "give regex, contains, metadata, tools or response_format"
            raise ConfigError("a rule without a sign would take every request", remedy=remedy)
        return self

    def value(self) -> RuleConfig:
        """The rule."""
        return RuleConfig(self.task, self.regex, tuple(self.contains), self.metadata, self.tools, self.response_format)


class TrustTable(Table):
    """How much a judgement counts, so that no caller's feedback steers everyone."""

    sources: dict[str, Weight] = Field(
        default={},
        description="weight from 0 to 1 of a source's judgements, such as {user = 0.5}; others: 1, then halves",
    )
    most_share: float = Field(
        default=_TRUST.most_share,
        gt=0,
        le=1,
        description="share of what is judged of late beyond which a tenant counts less; 1 = no limit",
    )
    half_life_s: float = Field(
        default=_TRUST.half_life_s, gt=0, description="seconds after which a judgement is half forgotten in that"
    )
    tolerance: float = Field(
        default=_TRUST.tolerance,
        ge=1,
        description="times the others' mean square error that a tenant's judgements may have and count in full",
    )
    severity: float = Field(
        default=_TRUST.severity, ge=0, description="power with which they count less beyond it; 0 = never"
    )

    def value(self) -> TrustSettings:
        """The settings."""
        return TrustSettings(self.sources, self.most_share, self.half_life_s, self.tolerance, self.severity)
