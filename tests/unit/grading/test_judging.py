"""Judges ask once for what looks the same, few at a time, for their share; and what fails is asked again."""

import asyncio
from collections.abc import Sequence

import pytest

from banditroute.errors import NoEligibleModelError, StoreError, UngradableError
from banditroute.grading.judge import HEAD, TAIL
from banditroute.grading.judging import Bench, Judge, sampled
from banditroute.grading.protocol import Item
from banditroute.records import ChatRequest, Completion


def item(answer: str = "Paris.", asked: str = "hello", decision_id: str = "d", expected: str | None = None) -> Item:
    request = ChatRequest(({"role": "user", "content": asked},))
    return Item(decision_id, "qa", request, Completion({}, answer, None), expected)


class Models:
    """Answers for every model: what its list says, then the last of it for good; errors are raised."""

    def __init__(self, **replies: Sequence[str | Exception]) -> None:
        self.replies = {model: list(said) for model, said in replies.items()}
        self.asked: list[tuple[str, ChatRequest]] = []
        self.most_at_once = 0
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self._now = 0

    async def __call__(self, request: ChatRequest, model: str) -> Completion:
        self.asked.append((model, request))
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            await asyncio.sleep(0)
            await self.may_go_on.wait()
        finally:
            self._now -= 1
        replies = self.replies[model]
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if isinstance(reply, Exception):
            raise reply
        return Completion({}, reply, None)


async def test_what_looks_the_same_to_the_judge_is_judged_once() -> None:
    models = Models(judge=['{"score": 5}'])
    judge = Judge("j", Bench("judge"), models)
    middles = ["x" * 9, "y" * 9]
    long = ["a" * HEAD + middle + "b" * TAIL for middle in middles]
    same = [item(decision_id="1"), item(decision_id="2"), item(long[0]), item(long[1])]
    assert await asyncio.gather(*map(judge.grade, [*same, *same])) == [0.5] * 8
    assert await judge.grade(item(decision_id="3")) == 0.5
    assert len(models.asked) == 2
    for other in (item("Lyon."), item(asked="hi"), item(expected="Paris")):
        await judge.grade(other)
    assert len(models.asked) == 5


async def test_what_failed_is_asked_again() -> None:
    models = Models(judge=["garbage", NoEligibleModelError({"judge": "cooling"}), '{"score": 8}'])
    judge = Judge("j", Bench("judge"), models)
    with pytest.raises(UngradableError, match="not JSON"):
        await judge.grade(item())
    with pytest.raises(UngradableError, match="did not answer: "):
        await judge.grade(item())
    assert await judge.grade(item()) == 0.8


async def test_those_who_wait_for_one_call_all_hear_that_it_failed() -> None:
    models = Models(judge=["garbage"])
    judge = Judge("j", Bench("judge"), models)
    found = await asyncio.gather(*(judge.grade(item()) for _ in range(5)), return_exceptions=True)
    assert [type(each) for each in found] == [UngradableError] * 5
    assert len(models.asked) == 1


async def test_a_few_are_judged_at_a_time() -> None:
    models = Models(judge=['{"score": 5}'])
    judge = Judge("j", Bench("judge", at_once=3), models)
    await asyncio.gather(*(judge.grade(item(str(number))) for number in range(30)))
    assert models.most_at_once == 3
    assert len(models.asked) == 30


async def test_who_leaves_does_not_take_the_verdict_from_others() -> None:
    models = Models(judge=['{"score": 5}'])
    models.may_go_on.clear()
    judge = Judge("j", Bench("judge"), models)
    leaving, staying = asyncio.create_task(judge.grade(item())), asyncio.create_task(judge.grade(item()))
    await asyncio.sleep(0.01)
    leaving.cancel()
    models.may_go_on.set()
    assert await staying == 0.5
    assert len(models.asked) == 1


async def test_closing_gives_up_what_is_asked() -> None:
    models = Models(judge=['{"score": 5}'])
    models.may_go_on.clear()
    judge = Judge("j", Bench("judge"), models)
    waiting = [asyncio.create_task(judge.grade(item(str(number)))) for number in range(20)]
    await asyncio.sleep(0.01)
    await judge.aclose()
    await judge.aclose()
    await asyncio.wait(waiting)
    assert all(task.cancelled() for task in waiting)
    assert models._now == 0


class TestPairs:
    async def test_the_baseline_answers_the_same_request(self) -> None:
        models = Models(base=["theirs"], judge=['{"better": "A"}', '{"better": "B"}'])
        judge = Judge("j", Bench("judge", baseline="base"), models)
        asked = item()
        assert await judge.grade(asked) == 1.0
        assert [model for model, _ in models.asked] == ["base", "judge", "judge"]
        assert models.asked[0][1] is asked.request

    async def test_what_fails_the_first_time_is_not_paid_twice(self) -> None:
        models = Models(base=["theirs"], judge=[StoreError("closed")])
        judge = Judge("j", Bench("judge", baseline="base"), models)
        with pytest.raises(UngradableError):
            await judge.grade(item())
        assert [model for model, _ in models.asked] == ["base", "judge"]

    async def test_a_baseline_that_says_nothing_is_nothing_to_compare_with(self) -> None:
        judge = Judge("j", Bench("judge", baseline="base"), Models(base=[""], judge=["A"]))
        with pytest.raises(UngradableError, match="no text"):
            await judge.grade(item())


class TestShares:
    def test_answers_without_text_are_not_wanted(self) -> None:
        judge = Judge("j", Bench("judge"), Models())
        assert judge.wants(item())
        assert not judge.wants(item(""))

    def test_the_share_is_a_share_and_judges_do_not_agree_on_it(self) -> None:
        """5,000 decisions, each in with probability .1: 500 expected, sd 21; of two judges' both, 50, sd 7."""
        ids = [f"01J{number:023}" for number in range(5_000)]
        one, other = ([sampled(name, decision_id, 0.1) for decision_id in ids] for name in ("one", "other"))
        assert 400 < sum(one) < 600
        assert 15 < sum(a and b for a, b in zip(one, other, strict=True)) < 85
        assert one == [sampled("one", decision_id, 0.1) for decision_id in ids]

    def test_a_larger_share_has_all_of_a_smaller(self) -> None:
        ids = [str(number) for number in range(1_000)]
        small, large = ({name for name in ids if sampled("j", name, share)} for share in (0.1, 0.4))
        assert small < large
        assert all(sampled("j", name, 1.0) for name in ids)
