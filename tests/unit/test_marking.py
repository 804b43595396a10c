"""Whatever graders do, an answer is neither lost nor given a quality that nobody means; and closing leaves nothing."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any

import pytest

from banditroute.errors import StoreError, UngradableError
from banditroute.grading.protocol import Item
from banditroute.marking import Marker, Marking, Panel
from banditroute.observe import Event, NotGraded
from banditroute.records import ChatRequest, Completion, Feedback

NOW = 1_700_000_000.0


def item(decision_id: str = "d", task: str = "qa") -> Item:
    return Item(decision_id, task, ChatRequest(({"role": "user", "content": "hello"},)), Completion({}, "hi", None))


class Says:
    """A grader that says one thing, or raises it."""

    def __init__(self, name: str, said: float | Exception | None) -> None:
        self.name = name
        self.said = said
        self.asked = 0

    def grade(self, item: Item) -> float | None:
        self.asked += 1
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


class Slow(Says):
    """One that takes until it is let."""

    def __init__(
        self, name: str, said: float | Exception | None, wanted: Callable[[Item], bool] = lambda _: True
    ) -> None:
        super().__init__(name, said)
        self.may_go_on = asyncio.Event()
        self.closed = 0
        self.wants = wanted

    async def grade(self, item: Item) -> float | None:  # type: ignore[override]
        await self.may_go_on.wait()
        return super().grade(item)

    async def aclose(self) -> None:
        self.closed += 1


class Books:
    """Records judgements and remembers events; the store takes as long as it is held."""

    def __init__(self) -> None:
        self.feedback: list[Feedback] = []
        self.events: list[Event] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.fails: Exception | None = None
        self.most_at_once = self._now = 0

    async def record(self, feedback: Feedback) -> bool:
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        await self.may_go_on.wait()
        self._now -= 1
        if self.fails is not None:
            raise self.fails
        self.feedback.append(feedback)
        return True

    def notify(self, event: Event) -> None:
        self.events.append(event)

    @property
    def problems(self) -> list[tuple[str, str]]:
        return [(event.grader, event.problem) for event in self.events if isinstance(event, NotGraded)]

    @property
    def recorded(self) -> dict[str, tuple[float, float]]:
        return {each.source: (each.quality, each.weight) for each in self.feedback}


@pytest.fixture
def books() -> Books:
    return Books()


def marker(books: Books, most_waiting: int = 100, **panel: list[Marking[Any]]) -> Marker:
    return Marker(Panel(**panel), books.record, books, lambda: NOW, most_waiting=most_waiting)  # type: ignore[arg-type]


class TestInline:
    async def test_grades_are_on_record_when_they_are_given(self, books: Books) -> None:
        inline = [Marking(Says("a", 0.25)), Marking(Says("b", 1.0), frozenset({"qa"}), 0.5), Marking(Says("c", None))]
        grades = await marker(books, inline=inline).mark(item())
        assert [tuple(grade) for grade in grades] == [(0.25, "a"), (1.0, "b")]
        assert books.recorded == {"a": (0.25, 1.0), "b": (1.0, 0.5)}
        assert {each.at for each in books.feedback} == {NOW}

    async def test_they_wait_for_the_store_once(self, books: Books) -> None:
        books.may_go_on.clear()
        marking = asyncio.create_task(marker(books, inline=[Marking(Says(name, 0.5)) for name in "abcde"]).mark(item()))
        await asyncio.sleep(0.01)
        books.may_go_on.set()
        await marking
        assert books.most_at_once == 5

    async def test_other_classes_are_not_graded(self, books: Books) -> None:
        grader = Says("a", 0.5)
        assert await marker(books, inline=[Marking(grader, frozenset({"code"}))]).mark(item()) == ()
        assert grader.asked == 0

    @pytest.mark.parametrize(
        ("said", "problem"),
        [
            (UngradableError("no number"), "no number"),
            (ZeroDivisionError("secret prompt"), "the grader failed: ZeroDivisionError"),
            (RecursionError(), "the grader failed: RecursionError"),
            (1.0001, "1.0001, which is not a quality"),
            (-1.0, "which is not a quality"),
            (math.nan, "which is not a quality"),
        ],
    )
    async def test_a_grader_that_fails_gives_no_quality_and_keeps_nobody_from_the_answer(
        self, books: Books, said: float | Exception, problem: str
    ) -> None:
        grades = await marker(books, inline=[Marking(Says("bad", said)), Marking(Says("good", 1.0))]).mark(item())
        assert [grade.source for grade in grades] == ["good"]
        assert books.recorded == {"good": (1.0, 1.0)}
        ((name, said_of_it),) = books.problems
        assert name == "bad"
        assert problem in said_of_it
        assert "secret" not in said_of_it

    async def test_a_store_that_fails_is_told_of(self, books: Books) -> None:
        books.fails = StoreError("the disk is full")
        grades = await marker(books, inline=[Marking(Says("a", 0.5))]).mark(item())
        assert len(grades) == 1
        assert books.problems == [("a", "the grade was not recorded: the disk is full")]

    async def test_a_caller_that_leaves_does_not_keep_grades_from_being_recorded(self, books: Books) -> None:
        books.may_go_on.clear()
        marking = marker(books, inline=[Marking(Says("a", 0.5)), Marking(Says("b", 0.5))])
        caller = asyncio.create_task(marking.mark(item()))
        await asyncio.sleep(0.01)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        books.may_go_on.set()
        await marking.aclose()
        assert set(books.recorded) == {"a", "b"}


class TestBackground:
    async def test_graders_follow_the_answer(self, books: Books) -> None:
        marking = marker(
            books, inline=[Marking(Says("now", 1.0))], background=[Marking(Says("then", 0.5), weight=0.25)]
        )
        grades = await marking.mark(item())
        assert [grade.source for grade in grades] == ["now"]
        await marking.settled()
        assert books.recorded["then"] == (0.5, 0.25)

    async def test_closing_finishes_them(self, books: Books) -> None:
        marking = marker(books, background=[Marking(Says("then", 0.5))])
        for number in range(20):
            await marking.mark(item(str(number)))
        await marking.aclose()
        assert len(books.feedback) == 20

    async def test_after_closing_they_are_told_of(self, books: Books) -> None:
        marking = marker(books, inline=[Marking(Says("now", 1.0))], background=[Marking(Says("then", 0.5))])
        await marking.aclose()
        assert len(await marking.mark(item())) == 1
        assert books.problems == [("background", "the router is closing")]


class TestJudges:
    async def test_nobody_waits_for_a_judge(self, books: Books) -> None:
        judge = Slow("judge", 0.75)
        marking = marker(books, judges=[Marking(judge, weight=0.5)])
        assert await marking.mark(item()) == ()
        assert books.feedback == []
        judge.may_go_on.set()
        await marking.settled()
        assert books.recorded == {"judge": (0.75, 0.5)}

    async def test_beyond_what_may_wait_answers_are_left_ungraded_and_counted(self, books: Books) -> None:
        judge = Slow("judge", 0.5)
        marking = marker(books, most_waiting=10, judges=[Marking(judge)])
        for number in range(15):
            await marking.mark(item(str(number)))
        assert books.problems == [("judge", "too many answers wait to be graded")] * 5
        judge.may_go_on.set()
        await marking.settled()
        assert {each.decision_id for each in books.feedback} == {str(number) for number in range(10)}
        await marking.mark(item("later"))
        await marking.settled()
        assert len(books.feedback) == 11

    async def test_answers_that_it_does_not_want_take_nobody_elses_place(self, books: Books) -> None:
        judge = Slow("judge", 0.5, lambda item: item.decision_id == "wanted")
        marking = marker(books, most_waiting=1, judges=[Marking(judge)])
        for name in ("a", "b", "wanted", "c"):
            await marking.mark(item(name))
        judge.may_go_on.set()
        await marking.settled()
        assert [each.decision_id for each in books.feedback] == ["wanted"]
        assert books.problems == []

    @pytest.mark.parametrize("said", [UngradableError("garbage"), 2.0, math.nan])
    async def test_one_that_fails_gives_no_quality(self, books: Books, said: float | Exception) -> None:
        judge = Slow("judge", said)
        marking = marker(books, judges=[Marking(judge)])
        await marking.mark(item())
        judge.may_go_on.set()
        await marking.settled()
        assert books.feedback == []
        assert [name for name, _ in books.problems] == ["judge"]

    async def test_a_defect_is_told_of_and_harms_nobody_else(self, books: Books) -> None:
        bad, good = Slow("bad", ZeroDivisionError("secret prompt")), Slow("good", 1.0)
        marking = marker(books, judges=[Marking(bad), Marking(good)])
        await marking.mark(item())
        bad.may_go_on.set()
        good.may_go_on.set()
        await marking.settled()
        assert books.recorded == {"good": (1.0, 1.0)}
        assert books.problems == [("bad", "grading failed: ZeroDivisionError")]

    async def test_closing_gives_them_up(self, books: Books) -> None:
        judge = Slow("judge", 0.5)
        marking = marker(books, judges=[Marking(judge)])
        await marking.mark(item())
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await marking.aclose()
            await marking.aclose()
        assert judge.closed == 2
        assert judge.asked == 0
        assert books.feedback == []

    async def test_a_verdict_that_is_being_written_is_written_while_closing(self, books: Books) -> None:
        """The learner goes on writing what its caller no longer waits for: here, what was taken in counts."""
        judge = Slow("judge", 0.5)
        judge.may_go_on.set()
        marking = marker(books, judges=[Marking(judge)])
        await marking.mark(item())
        await marking.settled()
        await marking.aclose()
        assert len(books.feedback) == 1


async def test_cheap_grades_move_to_the_judges_scale_wherever_they_are_given(books: Books) -> None:
    judge = Slow("judge", 0.2)
    judge.may_go_on.set()
    marking = marker(
        books,
        inline=[Marking(Says("now", 0.9), calibrate_to="judge"), Marking(Says("alone", 0.9))],
        background=[Marking(Says("then", 0.8), calibrate_to="judge")],
        judges=[Marking(judge)],
    )
    for number in range(200):
        await marking.mark(item(str(number)))
        await marking.settled()
    last = {each.source: each.quality for each in books.feedback if each.decision_id == "199"}
    assert last["now"] == pytest.approx(0.2, abs=0.1)
    assert last["then"] == pytest.approx(0.2, abs=0.1)
    assert last["alone"] == 0.9
