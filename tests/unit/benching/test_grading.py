from collections.abc import Sequence

import pytest

from banditroute.benching.calls import CallKey, FinishedCall
from banditroute.benching.grading import Examiners, Graded, Weighing, graded_by, markers_of
from banditroute.config.values import GraderConfig, JudgeConfig
from banditroute.errors import UnansweredError
from banditroute.grading.exact import ExactMatch
from banditroute.grading.judging import Bench
from banditroute.grading.length import Length
from banditroute.grading.number import NumericMatch
from banditroute.grading.protocol import Item
from banditroute.records import ChatRequest, Completion
from banditroute.sweeping.executor import Crew
from banditroute.sweeping.serial import Serial

REQUEST = ChatRequest(({"role": "user", "content": "What is 6 x 7?"},))


def item(answer: str, expected: str | None = "42", task: str = "math") -> Item:
    return Item("id", task, REQUEST, Completion({}, answer, None), expected)


def crew_of(graders: Sequence[GraderConfig]) -> Crew[Item, Graded]:
    """This process, grading."""
    with Serial().crew(graded_by, markers_of(graders)) as crew:
        return crew


async def says(reply: str) -> Completion:
    return Completion({}, reply, None)


async def test_everybody_who_covers_the_task_says_something_or_why_not() -> None:
    graders = [
        GraderConfig("exact", ExactMatch("exact")),
        GraderConfig("number", NumericMatch("number"), tasks=("math",)),
        GraderConfig("other", Length("other", least=1), tasks=("chat",)),
    ]
    judges = [JudgeConfig("judge", Bench("m"))]
    examiners = Examiners(crew_of(graders), judges, lambda request, model: says('{"score": 5}'))
    graded = await examiners.grade(item("None that I know."))
    assert graded.grades == {"exact": 0.0, "judge": 0.5}
    assert list(graded.ungraded) == ["number"]
    await examiners.aclose()


async def test_a_judge_that_does_not_answer_gives_a_reason_and_no_quality() -> None:
    async def silent(request: ChatRequest, model: str) -> Completion:
        raise UnansweredError({model: "away"})

    graded = await Examiners(crew_of([]), [JudgeConfig("judge", Bench("m"))], silent).grade(item("42"))
    assert graded.grades == {}
    assert "away" in graded.ungraded["judge"]


def test_grades_count_by_their_weights_and_those_of_graders_that_are_gone_do_not() -> None:
    graders = [GraderConfig("a", ExactMatch("a"), weight=1.0), GraderConfig("b", ExactMatch("b"), weight=0.25)]
    weighing = Weighing.learned(graders, [], [])
    assert weighing.quality({"a": 1.0, "b": 0.0, "gone": 0.0}) == pytest.approx(0.8)
    assert weighing.quality({"b": 0.5}) == 0.5
    assert weighing.quality({"gone": 1.0}) is None
    assert weighing.quality({}) is None


def test_a_cheap_grader_is_brought_onto_its_judges_scale_in_whatever_order_calls_came() -> None:
    graders = [GraderConfig("cheap", ExactMatch("cheap"), calibrate_to="judge")]
    judges = [JudgeConfig("judge", Bench("m"))]
    calls = [FinishedCall(CallKey(f"p{n}", "m"), grades={"cheap": 1.0, "judge": 0.4}) for n in range(60)]
    weighing = Weighing.learned(graders, judges, calls)
    assert weighing.quality({"cheap": 1.0}) == pytest.approx(0.55)  # 60 of 80 parts .4, 20 of them 1
    assert weighing.quality({"cheap": 1.0}) == Weighing.learned(graders, judges, calls[::-1]).quality({"cheap": 1.0})
