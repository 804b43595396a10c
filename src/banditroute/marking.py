"""Marks answers with the configured graders: at once where that is quick, in the background where it takes a while."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from banditroute.errors import BanditrouteError, UngradableError
from banditroute.grading.asking import checked, quality_of
from banditroute.grading.protocol import Grader, Item, SlowGrader
from banditroute.grading.scale import Scale
from banditroute.observe import NotGraded, Observer
from banditroute.records import Feedback, Grade

G = TypeVar("G", Grader, SlowGrader)

_MOST_WAITING = 1_000

Record = Callable[[Feedback], Awaitable[bool]]
"""Takes in a judgement, written for good."""


@dataclass(frozen=True, slots=True)
class Marking(Generic[G]):
    """One grader at work.

    Attributes:
        grader: grades, by itself or by asking somebody else.
        tasks: task classes whose answers it grades; empty = all.
        weight: how much its grades count, in (0, 1].
        calibrate_to: the judge on whose scale its grades are brought, by the answers that both have graded; or none.
    """

    grader: G
    tasks: frozenset[str] = frozenset()
    weight: float = 1.0
    calibrate_to: str = ""

    def covers(self, task: str) -> bool:
        """Whether it grades answers of that class."""
        return not self.tasks or task in self.tasks


@dataclass(frozen=True, slots=True)
class Panel:
    """Who grades.

    Attributes:
        inline: before an answer is given, their grades with it and on record.
        background: just after it.
        judges: in the background, for as long as it takes.
    """

    inline: Sequence[Marking[Grader]] = ()
    background: Sequence[Marking[Grader]] = ()
    judges: Sequence[Marking[SlowGrader]] = ()


Weighed = tuple[Grade, float]
"""A grade, and how much it counts."""


class Marker:
    """Has answers graded and the grades recorded; one event loop, one owner.

    Args:
        panel: who grades.
        record: takes in a judgement.
        observer: is told of answers that a grader could not grade.
        clock: seconds since the epoch.
        most_waiting: answers that may wait for judges, or for graders in the background; more are left ungraded.
    """

    def __init__(
        self,
        panel: Panel,
        record: Record,
        observer: Observer,
        clock: Callable[[], float],
        *,
        most_waiting: int = _MOST_WAITING,
    ) -> None:
        self._panel = panel
        self._record = record
        self._observer = observer
        self._clock = clock
        self._most_waiting = most_waiting
        quick = (*panel.inline, *panel.background)
        self._scales = {each.grader.name: Scale() for each in quick if each.calibrate_to}
        self._followed = [(each.calibrate_to, self._scales[each.grader.name]) for each in quick if each.calibrate_to]
        self._finishing: set[asyncio.Task[None]] = set()
        self._judging: set[asyncio.Task[None]] = set()
        self._closed = False

    def inherit(self, before: Marker) -> None:
        """Goes on with the scales of another one's graders, where they are brought to the same judge's."""
        own = {each.grader.name: each.calibrate_to for each in (*self._panel.inline, *self._panel.background)}
        theirs = (*before._panel.inline, *before._panel.background)
        for each in theirs:
            if each.calibrate_to and own.get(each.grader.name) == each.calibrate_to:
                self._scales[each.grader.name] = before._scales[each.grader.name]
        self._followed = [(own[name], scale) for name, scale in self._scales.items()]

    async def mark(self, item: Item) -> tuple[Grade, ...]:
        """The grades that are given at once, on record; the others follow by themselves.

        A caller that leaves does not keep them from being recorded.
        """
        grades = list(self._grades(self._panel.inline, item))
        if any(marking.covers(item.task) for marking in self._panel.background):
            self._begin(self._finishing, self._follow_up(item), item, "background")
        for marking in self._panel.judges:
            if marking.covers(item.task) and marking.grader.wants(item):
                self._begin(self._judging, self._judge(marking, item), item, marking.grader.name)
        if grades:
            await self._kept(item, grades)
        return tuple(grade for grade, _ in grades)

    async def settled(self) -> None:
        """Returns once all that is being graded in the background has been."""
        while waiting := self._finishing | self._judging:
            await asyncio.wait(waiting)

    async def aclose(self) -> None:
        """Finishes what needs nobody else, and gives up what judges have not answered; a second call does nothing."""
        self._closed = True
        for task in self._judging:
            task.cancel()
        for marking in self._panel.judges:
            await marking.grader.aclose()
        await self.settled()

    def _begin(
        self, where: set[asyncio.Task[None]], work: Coroutine[None, None, None], item: Item, grader: str
    ) -> None:
        """Lets the work go on by itself, unless too much waits already."""
        if not self._closed and len(where) < self._most_waiting:
            self._owned(where, work).add_done_callback(lambda done: self._tell(done, item, grader))
            return
        work.close()
        problem = "the router is closing" if self._closed else "too many answers wait to be graded"
        self._observer.notify(NotGraded(item.decision_id, grader, problem))

    def _owned(self, where: set[asyncio.Task[None]], work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        where.add(task)
        task.add_done_callback(where.discard)
        return task

    def _tell(self, done: asyncio.Task[None], item: Item, grader: str) -> None:
        """Tells of a defect that ended work nobody waits for."""
        if not done.cancelled() and (error := done.exception()) is not None:
            problem = f"grading failed: {type(error).__name__}"  # its words may quote the prompt
            self._observer.notify(NotGraded(item.decision_id, grader, problem))

    def _grades(self, markings: Iterable[Marking[Grader]], item: Item) -> Iterator[Weighed]:
        """What graders say that need nobody else."""
        for marking in markings:
            if not marking.covers(item.task) or (quality := self._quality(marking.grader, item)) is None:
                continue
            name = marking.grader.name
            scale = self._scales.get(name)
            yield Grade(quality if scale is None else scale.grade(item.decision_id, quality), name), marking.weight

    def _quality(self, grader: Grader, item: Item) -> float | None:
        try:
            return quality_of(grader.grade, item)
        except UngradableError as error:
            self._observer.notify(NotGraded(item.decision_id, grader.name, str(error)))
            return None

    async def _follow_up(self, item: Item) -> None:
        await self._record_all(item, self._grades(self._panel.background, item))

    async def _judge(self, marking: Marking[SlowGrader], item: Item) -> None:
        name = marking.grader.name
        try:
            quality = checked(await marking.grader.grade(item))
        except UngradableError as error:
            self._observer.notify(NotGraded(item.decision_id, name, str(error)))
            return
        if quality is None:
            return
        for followed, scale in self._followed:
            if followed == name:
                scale.compare(item.decision_id, quality)
        await self._kept(item, [(Grade(quality, name), marking.weight)])

    async def _kept(self, item: Item, grades: Iterable[Weighed]) -> None:
        """Waits until the grades are written, which they are even where nobody waits any more."""
        await asyncio.shield(self._owned(self._finishing, self._record_all(item, grades)))

    async def _record_all(self, item: Item, grades: Iterable[Weighed]) -> None:
        """Writes the grades, all at once: one wait for the store, not one each."""
        await asyncio.gather(*(self._recorded(item, grade, weight) for grade, weight in grades))

    async def _recorded(self, item: Item, grade: Grade, weight: float) -> None:
        feedback = Feedback(item.decision_id, grade.quality, grade.source, self._clock(), weight)
        try:
            await self._record(feedback)
        except BanditrouteError as error:
            self._observer.notify(NotGraded(item.decision_id, grade.source, f"the grade was not recorded: {error}"))
