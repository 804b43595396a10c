"""Marks answers with the configured graders: at once where that is quick, in the background where it takes a while."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from banditroute.errors import BanditrouteError, UngradableError
from banditroute.grading.calibration import Calibration
from banditroute.grading.judging import Judge
from banditroute.grading.protocol import Grader, Item, SlowGrader
from banditroute.observe import NotGraded, Observer
from banditroute.records import Feedback, Grade

JUDGE_TASK = "judge:"
"""What the task class of a judge's calls begins with; such a call is never graded itself."""

_MOST_WAITING = 1_000

Record = Callable[[Feedback], Awaitable[bool]]
"""Takes in a judgement, written for good."""


@dataclass(frozen=True, slots=True)
class Marking:
    """One grader at work.

    Attributes:
        grader: grades.
        tasks: task classes whose answers it grades; empty = all.
        weight: how much its grades count, in (0, 1].
        calibrate_to: the judge on whose scale its grades are brought, by the answers that both have graded; or none.
    """

    grader: Grader
    tasks: frozenset[str] = frozenset()
    weight: float = 1.0
    calibrate_to: str = ""

    def covers(self, task: str) -> bool:
        """Whether it grades answers of that class."""
        return not self.tasks or task in self.tasks


@dataclass(frozen=True, slots=True)
class SlowMarking:
    """One grader at work that asks somebody else; attributes as of Marking."""

    grader: SlowGrader
    tasks: frozenset[str] = frozenset()
    weight: float = 1.0

    def covers(self, task: str) -> bool:
        """Whether it grades answers of that class."""
        return not self.tasks or task in self.tasks


@dataclass(frozen=True, slots=True)
class Panel:
    """Who grades: `at_once` before an answer is given, `later` in the background after it."""

    at_once: Sequence[Marking] = field(default_factory=tuple[Marking, ...])
    later: Sequence[SlowMarking] = field(default_factory=tuple[SlowMarking, ...])


class Scale:
    """Brings one grader's grades onto a judge's scale, by the answers that both have graded."""

    def __init__(self) -> None:
        self.calibration = Calibration()
        self._alone: OrderedDict[str, float] = OrderedDict()

    def grade(self, decision_id: str, quality: float) -> float:
        """The grade on the judge's scale; remembered until the judge has spoken."""
        self._alone[decision_id] = quality
        if len(self._alone) > _MOST_WAITING:
            self._alone.popitem(last=False)
        return self.calibration.apply(quality)

    def compare(self, decision_id: str, judged: float) -> None:
        """Takes in what the judge said of the same answer."""
        quality = self._alone.pop(decision_id, None)
        if quality is not None:
            self.calibration.add(quality, judged)


class Marker:
    """Has answers graded and the grades recorded; one event loop, one owner.

    Args:
        panel: who grades.
        record: takes in a judgement.
        observer: is told of answers that a grader could not grade.
        clock: seconds since the epoch.
    """

    def __init__(self, panel: Panel, record: Record, observer: Observer, clock: Callable[[], float]) -> None:
        self._panel = panel
        self._record = record
        self._observer = observer
        self._clock = clock
        self._scales = {marking.grader.name: Scale() for marking in panel.at_once if marking.calibrate_to}
        self._waiting: set[asyncio.Task[None]] = set()
        self._closed = False

    async def mark(self, item: Item) -> tuple[Grade, ...]:
        """The grades that are given at once, on record; the others follow by themselves."""
        grades: list[Grade] = []
        for marking in self._panel.at_once:
            if marking.covers(item.task) and (grade := self._graded(marking, item)) is not None:
                await self._recorded(item, grade, marking.weight)
                grades.append(grade)
        for marking in self._panel.later:
            if marking.covers(item.task):
                self._begin(marking, item)
        return tuple(grades)

    async def settled(self) -> None:
        """Returns once all that is being graded in the background has been."""
        while self._waiting:
            await asyncio.gather(*self._waiting, return_exceptions=True)

    async def aclose(self) -> None:
        """Gives up what is being graded in the background; a second call does nothing."""
        self._closed = True
        for marking in self._panel.later:
            if isinstance(marking.grader, Judge):
                await marking.grader.aclose()
        for task in self._waiting:
            task.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)

    def _graded(self, marking: Marking, item: Item) -> Grade | None:
        grader = marking.grader
        try:
            quality = grader.grade(item)
        except UngradableError as error:
            self._observer.notify(NotGraded(item.decision_id, grader.name, str(error)))
            return None
        if quality is None:
            return None
        scale = self._scales.get(grader.name)
        return Grade(quality if scale is None else scale.grade(item.decision_id, quality), grader.name)

    def _begin(self, marking: SlowMarking, item: Item) -> None:
        if self._closed or len(self._waiting) >= _MOST_WAITING:
            problem = "too many answers wait to be graded"
            self._observer.notify(NotGraded(item.decision_id, marking.grader.name, problem))
            return
        task = asyncio.create_task(self._later(marking, item))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def _later(self, marking: SlowMarking, item: Item) -> None:
        try:
            quality = await marking.grader.grade(item)
        except UngradableError as error:
            self._observer.notify(NotGraded(item.decision_id, marking.grader.name, str(error)))
            return
        if quality is None:
            return
        for cheap in self._panel.at_once:
            if cheap.calibrate_to == marking.grader.name:
                self._scales[cheap.grader.name].compare(item.decision_id, quality)
        await self._recorded(item, Grade(quality, marking.grader.name), marking.weight)

    async def _recorded(self, item: Item, grade: Grade, weight: float) -> None:
        feedback = Feedback(item.decision_id, grade.quality, grade.source, self._clock(), weight)
        try:
            await self._record(feedback)
        except BanditrouteError as error:
            self._observer.notify(NotGraded(item.decision_id, grade.source, f"the grade was not recorded: {error}"))
