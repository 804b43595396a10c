"""Answers graded as a service sees it: by rules, before they are given or just after, and by what users do."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from banditroute.errors import ConfigError, FeedbackError, NotServedError, UnknownDecisionError
from banditroute.grading.signals import Corrected, Edited, Stars, Thumb
from banditroute.observe import NotGraded
from banditroute.records import Completion, Grade, Usage
from banditroute.router import Router
from banditroute.storage.sqlite import SQLiteStore
from banditroute.testing.faults import ok
from banditroute.testing.faulty_exchange import TOKENS, Exchange
from banditroute.testing.killing import kill_after
from banditroute.testing.store_records import assert_same

TEXT = "".join(TOKENS)
SQLITE = {"kind": "sqlite", "path": "store.db"}
WORKER = Path(__file__).with_name("grading_worker.py")
PATIENT = {"connect_s": 9.0, "whole_s": 9.0, "first_token_s": 9.0, "total_s": 9.0}


async def feedback_of(router: Router, decision_id: str) -> dict[str, float]:
    return {each.source: each.quality for each in (await router.explain(decision_id)).feedback}


class TestAtOnce:
    async def test_grades_come_with_the_answer_and_are_on_record(self, lab):
        rows = [
            {"name": "short", "kind": "length", "options": {"most": 3}},
            {"name": "right", "kind": "exact", "weight": 0.5},
            {"name": "coded", "kind": "json", "tasks": ["code"]},
        ]
        router = await lab.router({"small": await lab.server()}, graders=rows)
        answer = await router.chat("hello", task="qa", expected=TEXT)
        assert {grade.source: grade.quality for grade in answer.grades} == {"short": 0.0, "right": 1.0}
        trail = await router.explain(answer.decision_id)
        assert {each.source: (each.quality, each.weight) for each in trail.feedback} == {
            "short": (0.0, 1.0),
            "right": (1.0, 0.5),
        }
        state = await router.learner.store.state()
        assert [float(e.n) for edge, e in state.evidence.items() if edge.signal == "quality"] == [1.5]

    async def test_a_stream_is_graded_at_its_end(self, lab):
        rows = [{"name": "right", "kind": "exact"}]
        router = await lab.router({"small": await lab.server()}, graders=rows)
        async with router.stream("hello", expected=TEXT) as stream:
            async for _ in stream:
                pass
        assert [grade.quality for grade in stream.answer.grades] == [1.0]

    async def test_the_expected_answer_goes_to_no_provider(self, lab):
        seen = []

        async def see(exchange: Exchange) -> None:
            seen.append(exchange.body)
            await ok(exchange)

        router = await lab.router({"small": await lab.server(see)}, graders=[{"name": "right", "kind": "exact"}])
        await router.chat("hello", expected="the secret")
        async with router.stream("hello", expected="the secret") as stream:
            async for _ in stream:
                pass
        assert len(seen) == 2
        assert "secret" not in json.dumps(seen)

    async def test_what_cannot_be_graded_has_no_quality_and_is_counted(self, lab):
        router = await lab.router({"small": await lab.server()}, graders=[{"name": "sum", "kind": "number"}])
        answer = await router.chat("hello", expected="12")
        assert answer.grades == ()
        assert [event.grader for event in lab.events.of(NotGraded)] == ["sum"]
        assert await feedback_of(router, answer.decision_id) == {}

    async def test_a_blend_speaks_for_its_parts(self, lab):
        rows = [
            {"name": "short", "kind": "length", "options": {"most": 3}},
            {"name": "right", "kind": "exact"},
            {"name": "both", "kind": "blend", "parts": {"short": 1.0, "right": 3.0}},
        ]
        router = await lab.router({"small": await lab.server()}, graders=rows)
        answer = await router.chat("hello", expected=TEXT)
        assert {grade.source: grade.quality for grade in answer.grades} == {"both": 0.75}

    async def test_a_client_of_ones_own_has_its_answers_graded(self, lab):
        router = await lab.router({"small": await lab.server()}, graders=[{"name": "right", "kind": "exact"}])
        decision = router.decide("2 + 2?")
        router.record(decision, usage=Usage(5, 1), latency_s=0.1)
        grades = await router.grade(decision.decision_id, "2 + 2?", "4", expected="4")
        assert [grade.quality for grade in grades] == [1.0]
        assert await feedback_of(router, decision.decision_id) == {"right": 1.0}

    async def test_it_may_hand_over_the_whole_completion(self, lab):
        router = await lab.router({"small": await lab.server()}, graders=[{"name": "done", "kind": "finished"}])
        decision = router.decide("2 + 2?")
        router.record(decision, usage=Usage(5, 1), latency_s=0.1)
        grades = await router.grade(decision.decision_id, "2 + 2?", Completion({}, "4", None, "length"))
        assert [grade.quality for grade in grades] == [0.0]

    async def test_what_has_no_answer_cannot_be_graded(self, lab):
        router = await lab.router({"small": await lab.server()}, graders=[{"name": "right", "kind": "exact"}])
        decision = router.decide("2 + 2?")
        with pytest.raises(NotServedError):
            await router.grade(decision.decision_id, "2 + 2?", "4", expected="4")
        router.record(decision, latency_s=0.1, ok=False)
        with pytest.raises(NotServedError):
            await router.grade(decision.decision_id, "2 + 2?", "4", expected="4")
        with pytest.raises(UnknownDecisionError):
            await router.grade("made up", "2 + 2?", "4", expected="4")

    async def test_without_graders_nobody_grades(self, lab):
        router = await lab.router({"small": await lab.server()})
        answer = await router.chat("hello", expected=TEXT)
        assert answer.grades == ()
        assert await router.grade(answer.decision_id, "hello", TEXT) == ()
        assert await feedback_of(router, answer.decision_id) == {}

    async def test_a_hundred_at_once_are_all_graded(self, lab):
        rows = [{"name": "right", "kind": "exact"}, {"name": "short", "kind": "length", "options": {"most": 3}}]
        router = await lab.router({"small": await lab.server()}, graders=rows, timeouts=PATIENT, store=SQLITE)
        answers = await asyncio.gather(*(router.chat("hello", expected=TEXT) for _ in range(100)))
        assert {grade for answer in answers for grade in answer.grades} == {Grade(1.0, "right"), Grade(0.0, "short")}
        for answer in answers:
            assert await feedback_of(router, answer.decision_id) == {"right": 1.0, "short": 0.0}
        assert_same(await router.learner.store.state(), await router.learner.store.rebuilt())

    async def test_grades_that_came_with_an_answer_survive_a_kill(self, tmp_path):
        output = await kill_after((sys.executable, str(WORKER), str(tmp_path)), 0.5)
        said = output.decode().split("\n")[1:-1]
        assert len(said) > 10
        store = SQLiteStore(tmp_path / "store.db")
        await store.open()
        trails = [await store.trail(decision_id) for decision_id in said]
        assert {tuple(each.source for each in trail.feedback) for trail in trails} == {("short",)}
        assert_same(await store.state(), await store.rebuilt())
        await store.aclose()


class TestBackground:
    async def test_grades_follow_the_answer(self, lab):
        rows = [
            {"name": "right", "kind": "exact", "when": "background", "weight": 0.5},
            {"name": "sum", "kind": "number", "when": "background"},
        ]
        router = await lab.router({"small": await lab.server()}, graders=rows)
        answer = await router.chat("hello", expected=TEXT)
        assert answer.grades == ()
        await router._works.serving.marker.settled()
        assert await feedback_of(router, answer.decision_id) == {"right": 1.0}
        assert [event.grader for event in lab.events.of(NotGraded)] == ["sum"]

    async def test_closing_finishes_them(self, lab):
        rows = [{"name": "right", "kind": "exact", "when": "background"}]
        router = await lab.router({"small": await lab.server()}, graders=rows, store=SQLITE)
        answers = [await router.chat("hello", expected=TEXT) for _ in range(20)]
        await router.aclose()
        store = SQLiteStore(lab.folder / "store.db")
        await store.open()
        trails = [await store.trail(answer.decision_id) for answer in answers]
        await store.aclose()
        assert [[each.source for each in trail.feedback] for trail in trails] == [["right"]] * 20


class TestSignals:
    @pytest.mark.parametrize(
        ("signal", "source", "quality"),
        [
            (Thumb(up=True), "user:thumb", 1.0),
            (Stars(2), "user:stars", 0.25),
            (Corrected(), "user:corrected", 0.1),
            (Edited("a b c d", "a b x d"), "user:edited", 0.75),
        ],
    )
    async def test_what_users_do_is_feedback(self, lab, signal, source, quality):
        router = await lab.router({"small": await lab.server()})
        answer = await router.chat("hello")
        assert await router.feedback(answer.decision_id, signal=signal)
        assert await feedback_of(router, answer.decision_id) == {source: quality}

    async def test_a_quality_or_a_signal_is_needed_and_not_both(self, lab):
        router = await lab.router({"small": await lab.server()})
        answer = await router.chat("hello")
        for wrong in ({}, {"quality": 1.0, "signal": Thumb(up=True)}, {"signal": Stars(9)}):
            with pytest.raises(FeedbackError):
                await router.feedback(answer.decision_id, **wrong)


JUDGE = {"name": "j", "model": "small"}


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"graders": [{"name": "user", "kind": "json"}]}, "'user' is what users' own judgements are recorded as"),
        ({"graders": [{"name": "user:thumb", "kind": "json"}]}, "recorded as"),
        ({"graders": [{"name": "g", "kind": "json", "when": "later"}]}, "when"),
        ({"graders": [{"name": "j", "kind": "json"}], "judges": [JUDGE]}, "a grader is named 'j' too"),
        ({"judges": [JUDGE | {"params": {"stream": True}}]}, "params: stream is not yours to give"),
        ({"judges": [JUDGE | {"at_once": 0}]}, "at_once"),
        ({"judges": [JUDGE | {"usd_per_day": 0.0}]}, "usd_per_day"),
        ({"judges": [JUDGE | {"baseline_model": "none"}]}, "no model is named 'none'"),
        (
            {
                "judges": [JUDGE | {"usd_per_day": 1.0}],
                "budgets": [{"scope": "task:judge:j", "usd": 1.0, "per": "day"}],
            },
            "a budget is called 'task:judge:j per day' too",
        ),
        ({"rules": [{"task": "judge:j", "tools": True}]}, "are kept for judges"),
        ({"judges": [{"name": "j", "model": "smal"}]}, "no model is named 'smal'; did you mean 'small'?"),
        ({"judges": [{"name": "j", "model": "small", "share": 0.0}]}, "share"),
        ({"graders": [{"name": "g", "kind": "regex", "options": {"pattern": "("}}]}, "options.pattern"),
        ({"graders": [{"name": "g", "kind": "blend", "parts": {"h": 1.0}}]}, "no grader to blend is named 'h'"),
        ({"graders": [{"name": "g", "kind": "blend"}]}, "a blend has parts"),
        ({"graders": [{"name": "g", "kind": "json", "calibrate_to": "j"}]}, "no judge is named 'j'"),
        ({"graders": [{"name": "g", "kind": "json"}, {"name": "g", "kind": "code"}]}, "named 'g' too"),
    ],
)
async def test_wrong_configurations_are_one_line(lab, sections, message):
    server = await lab.server()
    with pytest.raises(ConfigError) as caught:
        lab.assembled({"small": server}, **sections)
    assert message in str(caught.value)
    assert "router.toml:" in str(caught.value)
    assert "\n" not in str(caught.value)
