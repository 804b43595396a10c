"""The tables of graders and of judges: who says how good an answer was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, model_validator

from banditroute.config.provider_tables import Name
from banditroute.config.table import Table
from banditroute.config.values import GraderConfig, JudgeConfig
from banditroute.errors import ConfigError
from banditroute.grading.blend import Blend
from banditroute.grading.judge import Rubric
from banditroute.grading.judging import Bench
from banditroute.grading.make import grader_of
from banditroute.grading.protocol import Grader
from banditroute.marking import JUDGE_TASK
from banditroute.routing.budgets import Cap, Per, Scope

Weight = Annotated[float, Field(gt=0, le=1)]
Share = Annotated[float, Field(gt=0, le=1)]
Usd = Annotated[float, Field(gt=0)]
Part = Annotated[float, Field(gt=0)]

BLEND = "blend"
"""The kind of a grader that is made of others."""


class GraderTable(Table):
    """A grader that needs nobody else: it grades each answer before it is given."""

    name: Name = Field(description="the source of its grades; unique", examples=["valid"])
    kind: Name = Field(description="what it looks at: see docs/graders.md", examples=["json"])
    tasks: list[Name] = Field(default=[], description="task classes whose answers it grades; left out: all")
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
        return GraderConfig(self.name, grader, tuple(self.tasks), self.weight, self.calibrate_to or "")


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

    name: Name = Field(description="the source of its grades; unique", examples=["judge"])
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
    usd_per_day: Usd | None = Field(default=None, description="the most it may cost in a day, in UTC", examples=[1.0])
    usd_per_month: Usd | None = Field(default=None, description="the most it may cost in a month", examples=[20.0])

    def value(self) -> JudgeConfig:
        """The judge."""
        rubric = Rubric() if self.criteria is None else Rubric(self.criteria)
        bench = Bench(self.model, rubric, self.share, self.baseline_model)
        return JudgeConfig(self.name, bench, tuple(self.tasks), self.weight, tuple(self._caps()))

    def _caps(self) -> list[Cap]:
        scope = Scope("task", JUDGE_TASK + self.name)
        amounts: tuple[tuple[Per, float | None], ...] = (("day", self.usd_per_day), ("month", self.usd_per_month))
        return [Cap(f"{scope} per {per}", usd, per, scope, "reject") for per, usd in amounts if usd is not None]
