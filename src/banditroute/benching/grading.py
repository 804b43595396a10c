"""Has one answer graded by everybody who grades it, and makes one quality of what they say."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from banditroute.benching.calls import FinishedCall
from banditroute.config.values import GraderConfig, JudgeConfig
from banditroute.errors import UngradableError
from banditroute.grading.asking import checked, quality_of
from banditroute.grading.calibration import Calibration
from banditroute.grading.judging import Complete, Judge
from banditroute.grading.protocol import Grader, Item, SlowGrader
from banditroute.marking import Marking
from banditroute.sweeping.executor import Crew, Tick


class Graded(NamedTuple):
    """What graders say of an answer, by name, and why others that were asked say nothing."""

    grades: dict[str, float]
    ungraded: dict[str, str]


Markers = tuple[Marking[Grader], ...]
"""Who grades without anybody else."""


def markers_of(graders: Iterable[GraderConfig]) -> Markers:
    """The configured graders at work."""
    return tuple(Marking(each.grader, frozenset(each.tasks)) for each in graders)


def graded_by(markers: Markers, item: Item, tick: Tick) -> Graded:
    """A share of the work: what graders that need nobody else say of one answer."""
    del tick  # an answer is little
    graded = Graded({}, {})
    for marking in markers:
        if marking.covers(item.task):
            try:
                _note(graded, marking.grader.name, quality_of(marking.grader.grade, item))
            except UngradableError as error:
                graded.ungraded[marking.grader.name] = str(error)
    return graded


class Examiners:
    """Everybody who grades; judges stop when it is closed.

    Args:
        crew: does what `graded_by` says.
        judges: ask a model.
        complete: has a model answer a judge.
    """

    def __init__(self, crew: Crew[Item, Graded], judges: Iterable[JudgeConfig], complete: Complete) -> None:
        self._crew = crew
        self._judges = [Marking(Judge(each.name, each.bench, complete), frozenset(each.tasks)) for each in judges]

    async def grade(self, item: Item) -> Graded:
        """What they say; nothing where none is for such an answer."""
        graded = await asyncio.wrap_future(self._crew.submit(item))
        wanted = (each.grader for each in self._judges if each.covers(item.task) and each.grader.wants(item))
        await asyncio.gather(*(_judged(judge, item, graded) for judge in wanted))
        return graded

    async def aclose(self) -> None:
        """Gives up what judges have not answered; a second call does nothing."""
        for marking in self._judges:
            await marking.grader.aclose()


async def _judged(judge: SlowGrader, item: Item, graded: Graded) -> None:
    try:
        _note(graded, judge.name, checked(await judge.grade(item)))
    except UngradableError as error:
        graded.ungraded[judge.name] = str(error)


def _note(graded: Graded, name: str, quality: float | None) -> None:
    if quality is not None:
        graded.grades[name] = quality


@dataclass(frozen=True, slots=True)
class Weighing:
    """How several graders' grades make one quality.

    Attributes:
        weights: how much each counts.
        scales: brings a grader's grades onto its judge's scale.
    """

    weights: Mapping[str, float]
    scales: Mapping[str, Calibration]

    @classmethod
    def learned(
        cls, graders: Sequence[GraderConfig], judges: Sequence[JudgeConfig], calls: Iterable[FinishedCall]
    ) -> Weighing:
        """The configured weights, and the scales that these calls' grades teach, whatever order they came in."""
        weights = {each.name: each.weight for each in (*graders, *judges)}
        scales = {each.name: Calibration() for each in graders if each.calibrate_to}
        judge_of = {each.name: each.calibrate_to for each in graders if each.calibrate_to}
        for call in sorted(calls, key=lambda call: call.key):
            for name, scale in scales.items():
                if name in call.grades and judge_of[name] in call.grades:
                    scale.add(call.grades[name], call.grades[judge_of[name]])
        return cls(weights, scales)

    def quality(self, grades: Mapping[str, float]) -> float | None:
        """The weighted mean of the grades, those of graders that are no more left out; None where there is none."""
        known = {name: grade for name, grade in grades.items() if name in self.weights}
        if not known:
            return None
        total = sum(self.weights[name] * self._scaled(name, grade) for name, grade in known.items())
        return min(max(total / sum(self.weights[name] for name in known), 0.0), 1.0)

    def _scaled(self, name: str, grade: float) -> float:
        scale = self.scales.get(name)
        return grade if scale is None else scale.apply(grade)
