"""The tables of graders and of judges: who says how good an answer was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PrivateAttr, field_validator, model_validator

from banditroute.config.provider_tables import Name
from banditroute.config.table import Table
from banditroute.config.values import GraderConfig, JudgeConfig, When
from banditroute.errors import ConfigError
from banditroute.grading.blend import Blend
from banditroute.grading.judge import PARAMS, Rubric
from banditroute.grading.judging import Bench
from banditroute.grading.make import grader_of
from banditroute.grading.protocol import Grader
from banditroute.routing.budgets import Cap, Per, Scope
from banditroute.routing.tasks import JUDGE_TASK

_BENCH = Bench("")
_USERS = "user"
_OURS = frozenset({"messages", "model", "stream", "n"})


def _check_source(name: str) -> str:
    """The name, unless users' own judgements are recorded under it: of one source only the first one counts."""
    if name == _USERS or name.startswith(f"{_USERS}:"):
        raise ConfigError(f"{name!r} is what users' own judgements are recorded as", remedy="name it otherwise")
    return name


Source = Annotated[Name, AfterValidator(_check_source)]
Weight = Annotated[float, Field(gt=0, le=1)]
Share = Annotated[float, Field(gt=0, le=1)]
Usd = Annotated[float, Field(gt=0)]
Part = Annotated[float, Field(gt=0)]

BLEND = "blend"
"""The kind of a grader that is made of others."""


class GraderTable(Table):
    """A grader that needs nobody else: it grades each answer as it is given."""

    name: Source = Field(description="the source of its grades; unique", examples=["valid"])
    kind: Name = Field(description="what it looks at (docs/graders.md), or module:name of your own", examples=["json"])
    tasks: list[Name] = Field(default=[], description="task classes whose answers it grades; left out: all")
    when: When = Field(
        default="inline",
        description="inline: before the answer is given, which has its grades | background: just after it",
    )
    weight: Weight = Field(default=1.0, description="how much its grades count, above 0 and at most 1")
    options: dict[str, Any] = Field(default={}, description="of its kind, such as { pattern = '^[A-D]$' }")
    parts: dict[str, Part] = Field(
        default={}, description="of kind blend: other graders' names and weights; they grade only through it"
    )
    calibrate_to: Name | None = Field(
        default=None,
        description="a judge on whose scale its grades are brought, by answers that both have graded",
        examples=["judge"],
    )
    _grader: Grader = PrivateAttr()

    @model_validator(mode="after")
    def _make(self) -> GraderTable:
        if (self.kind == BLEND) != bool(self.parts):
            remedy = 'give parts = { one = 1.0, other = 0.5 }, and the kind "blend"'
            raise ConfigError("a blend has parts, and nothing else has", remedy=remedy, field="parts")
        if self.kind == BLEND:
            return self
        try:
            self._grader = grader_of(self.kind, self.name, self.options)
        except ConfigError as error:
            field = "kind" if error.field is None else f"options.{error.field}"
            raise ConfigError(error.problem, remedy=error.remedy, field=field) from None
        return self

    @property
    def grader(self) -> Grader:
        """The grader; of a blend there is none before its parts are known."""
        return self._grader

    def value(self, grader: Grader) -> GraderConfig:
        """The grader, set to work."""
        return GraderConfig(self.name, grader, tuple(self.tasks), self.weight, self.calibrate_to or "", self.when)


def graders(tables: Sequence[GraderTable]) -> tuple[GraderConfig, ...]:
    """Those that grade by themselves: parts of blends do so only through these."""
    simple = {table.name: table.grader for table in tables if table.kind != BLEND}
    blends = {
        table.name: Blend(table.name, tuple((simple[part], weight) for part, weight in table.parts.items()))
        for table in tables
        if table.kind == BLEND
    }
    parts = {part for table in tables for part in table.parts}
    made = {**simple, **blends}
    return tuple(table.value(made[table.name]) for table in tables if table.name not in parts)


class JudgeTable(Table):
    """A model that grades a share of the answers in the background; its calls are paid and kept like any other."""

    name: Source = Field(description="the source of its grades; unique", examples=["judge"])
    model: Name = Field(description="the model of [[models]] that judges", examples=["small"])
    baseline_model: Name | None = Field(
        default=None,
        description="a model whose answer it compares with, in both orders; left out: it scores each answer by itself",
        examples=["small"],
    )
    tasks: list[Name] = Field(default=[], description="task classes whose answers it grades; left out: all")
    share: Share = Field(default=0.05, description="share of these answers, above 0 and at most 1")
    weight: Weight = Field(default=1.0, description="how much its grades count, above 0 and at most 1")
    criteria: Name | None = Field(
        default=None,
        description="what makes an answer good, in words for the judge; left out: right, whole, and as was asked",
        examples=["Is it correct, and polite to an angry customer?"],
    )
    params: dict[str, Any] = Field(
        default=dict(PARAMS),
        description="other fields of its requests, as OpenAI's API names them; yours instead of these",
    )
    at_once: int = Field(
        default=_BENCH.at_once, ge=1, description="answers that it judges at a time; a thousand may wait"
    )
    usd_per_day: Usd | None = Field(default=None, description="the most it may cost in a day, in UTC", examples=[1.0])
    usd_per_month: Usd | None = Field(default=None, description="the most it may cost in a month", examples=[20.0])

    @field_validator("params")
    @classmethod
    def _check_params(cls, params: dict[str, Any]) -> dict[str, Any]:
        taken = sorted(_OURS & set(params))
        if taken:
            raise ConfigError(f"{taken[0]} is not yours to give", remedy="leave it out")
        return params

    def value(self) -> JudgeConfig:
        """The judge."""
        rubric = Rubric(params=self.params)
        if self.criteria is not None:
            rubric = replace(rubric, criteria=self.criteria)
        bench = Bench(self.model, rubric, self.share, self.baseline_model, self.at_once)
        return JudgeConfig(self.name, bench, tuple(self.tasks), self.weight, tuple(self._caps()))

    def _caps(self) -> list[Cap]:
        scope = Scope("task", JUDGE_TASK + self.name)
        amounts: tuple[tuple[Per, float | None], ...] = (("day", self.usd_per_day), ("month", self.usd_per_month))
        return [Cap(f"{scope} per {per}", usd, per, scope, "reject") for per, usd in amounts if usd is not None]
