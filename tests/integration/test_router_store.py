"""What is on record outlives the process, is never counted twice, and a store in trouble does not stop the router."""

import asyncio
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from banditroute import assemble
from banditroute.errors import InvalidRequestError, NotOpenError, NotServedError, StoreError, UnknownDecisionError
from banditroute.observe import Settled, StoreFailed
from banditroute.records import Usage
from banditroute.storage.memory import MemoryStore
from banditroute.testing.faulty_exchange import TOKENS

TEXT = "".join(TOKENS)
COST_USD = (18 * 1.0 + 6 * 2.0) / 1e6
PROMPT = "What is the capital of France, and since when has it been the capital of it?"
SQLITE = {"kind": "sqlite", "path": "decisions.db"}
BUDGETS = [{"name": "day", "usd": 1.0, "per": "day"}, {"name": "pace", "usd_per_request": 2e-5}]


def spent_usd(router):
    return router.learner.ledger.accounts(time.time())[0].spent_usd


def evidence_of(state):
    """Every edge's sums, as numbers by name."""
    numbers = {}
    for edge, sums in state.evidence.items():
        for name, values in sums._asdict().items():
            numbers |= {(edge, name, place): float(value) for place, value in enumerate(np.ravel(values))}
    return numbers


async def copied(lab, name):
    """The store as a process that is killed now would leave it."""
    await asyncio.sleep(0.05)  # a decision that nobody waits for is written within about 10 ms
    for path in lab.folder.glob("decisions.db*"):
        shutil.copy(path, path.with_name(path.name.replace("decisions", name)))
    return {"kind": "sqlite", "path": f"{name}.db"}


class TestRestart:
    async def test_keeps_what_was_spent_learned_and_paced(self, lab):
        models = {"good": await lab.server(), "bad": await lab.server()}
        router = await lab.router(models, budgets=BUDGETS, store=SQLITE)
        for _ in range(60):
            answer = await router.chat("hello", task="qa")
            await router.feedback(answer.decision_id, quality={"good": 0.9, "bad": 0.1}[answer.model])
        before = await router.learner.store.state()
        price = router.learner.decider.shadow_price
        await router.aclose()
        again = await lab.router(models, budgets=BUDGETS, store=SQLITE)
        after = await again.learner.store.state()
        assert evidence_of(after) == evidence_of(before)
        assert evidence_of(await again.learner.store.rebuilt()) == pytest.approx(evidence_of(before))
        assert spent_usd(again) == pytest.approx(60 * COST_USD)
        assert again.learner.decider.shadow_price == price
        served = [(await again.chat("hello", task="qa")).model for _ in range(30)]
        assert served.count("good") >= 26

    async def test_takes_feedback_on_answers_from_before_it_once(self, lab):
        server = await lab.server()
        router = await lab.router({"small": server}, store=SQLITE)
        judged, open_one = await router.chat("hello"), await router.chat("hello")
        assert await router.feedback(judged.decision_id, quality=1.0)
        await router.aclose()
        again = await lab.router({"small": server}, store=SQLITE)
        assert not await again.feedback(judged.decision_id, quality=0.0)
        assert await again.feedback(open_one.decision_id, quality=0.5)
        trail = await again.explain(open_one.decision_id)
        assert [each.quality for each in trail.feedback] == [0.5]
        assert trail.decision == open_one.decision

    async def test_keeps_the_cap_reached(self, lab):
        server = await lab.server()
        free = lab.served(server, input_usd_per_mtok=0.0, output_usd_per_mtok=0.0)
        budgets = [{"name": "day", "usd": 10 * COST_USD, "per": "day", "on_exhausted": "reject", "paced": False}]
        router = await lab.router({"priced": server, "free": free}, budgets=budgets, store=SQLITE)
        for _ in range(80):
            await router.chat(PROMPT, max_tokens=6)
        await router.aclose()
        again = await lab.router({"priced": server, "free": free}, budgets=budgets, store=SQLITE)
        answers = [await again.chat(PROMPT, max_tokens=6) for _ in range(10)]
        assert {answer.model for answer in answers} == {"free"}
        assert "the budget has" in answers[0].decision.excluded["priced"]

    async def test_of_another_catalog_passes_over_what_is_gone(self, lab):
        server = await lab.server()
        router = await lab.router({"old": server, "kept": server}, budgets=BUDGETS, store=SQLITE)
        for _ in range(20):
            answer = await router.chat("hello")
            await router.feedback(answer.decision_id, quality=0.5)
        old = next(event.outcome for event in lab.events.of(Settled) if event.outcome.served == "old")
        await router.aclose()
        again = await lab.router({"new": server, "kept": server}, store=SQLITE)
        assert {(await again.chat("hello")).model for _ in range(20)} <= {"new", "kept"}
        assert await again.feedback(old.decision_id, quality=0.5, source="late")


class TestKilled:
    async def test_calls_on_their_way_are_charged_what_was_expected_of_them_and_hold_nothing(self, lab):
        server = await lab.server("hang-before-head")
        router = await lab.router(
            {"small": server}, budgets=BUDGETS, store=SQLITE, timeouts={"whole_s": 9.0, "total_s": 9.0}
        )
        lost = asyncio.create_task(router.chat("hello", timeout_s=9.0))
        store = await copied(lab, "killed")
        again = await lab.router({"small": await lab.server()}, budgets=BUDGETS, store=store)
        assert await again.learner.store.unsettled() == []
        (trail,) = await again.learner.store.recent(10)
        assert (trail.outcome.ok, trail.outcome.estimated) == (False, True)
        assert trail.outcome.cost_usd == trail.decision.forecasts["small"].cost_usd
        assert spent_usd(again) == pytest.approx(trail.outcome.cost_usd)
        with pytest.raises(NotServedError):
            await again.feedback(trail.decision.decision_id, quality=1.0)
        await lab_rest(again)
        lost.cancel()
        await asyncio.gather(lost, return_exceptions=True)

    async def test_answers_that_were_given_are_all_there_and_counted_once(self, lab):
        patient = {"whole_s": 30.0, "total_s": 30.0}
        router = await lab.router({"small": await lab.server()}, budgets=BUDGETS, store=SQLITE, timeouts=patient)
        answers = await asyncio.gather(*(router.chat("hello") for _ in range(40)))
        await asyncio.gather(*(router.feedback(answer.decision_id, quality=0.5) for answer in answers))
        for path in lab.folder.glob("decisions.db*"):
            shutil.copy(path, path.with_name(path.name.replace("decisions", "killed")))
        again = await lab.router({"small": await lab.server()}, budgets=BUDGETS, store={**SQLITE, "path": "killed.db"})
        for answer in answers:
            trail = await again.explain(answer.decision_id)
            assert (trail.outcome, len(trail.feedback)) == (answer.outcome, 1)
        assert spent_usd(again) == pytest.approx(40 * COST_USD)
        state = await again.learner.store.state()
        assert {edge.signal: int(sums.n) for edge, sums in state.evidence.items()} == {
            "quality": 40,
            "log_tokens": 40,
            "log_latency": 40,
        }
        assert evidence_of(await again.learner.store.rebuilt()) == pytest.approx(evidence_of(state))

    async def test_a_decision_for_a_client_of_its_own_can_be_recorded_by_the_next_process_once(self, lab):
        server = await lab.server()
        router = await lab.router({"small": server}, budgets=BUDGETS, store=SQLITE)
        decision = router.decide("hello", max_tokens=1000)
        store = await copied(lab, "killed")
        again = await lab.router({"small": server}, budgets=BUDGETS, store=store)
        (account,) = again.learner.ledger.accounts(time.time())
        assert account.reserved_usd == pytest.approx(0.002, rel=0.01)
        for _ in range(3):
            again.record(decision, usage=Usage(6, 500), latency_s=1.0)
        assert await again.feedback(decision.decision_id, quality=1.0)
        assert spent_usd(again) == pytest.approx(0.001006)
        state = await again.learner.store.state()
        assert {edge.signal: int(sums.n) for edge, sums in state.evidence.items()} == {
            "quality": 1,
            "log_tokens": 1,
            "log_latency": 1,
        }
        await lab_rest(again)


async def lab_rest(router):
    assert await router.learner.store.unsettled() == []
    assert [each.reserved_usd for each in router.learner.ledger.accounts(time.time())] == [0.0]


class Sick(MemoryStore):
    """A store that cannot be written while it is ill, nor read."""

    ill = False

    async def settle(self, settlement):
        self._complain()
        return await super().settle(settlement)

    async def judge(self, feedback, lesson):
        self._complain()
        return await super().judge(feedback, lesson)

    async def trail(self, decision_id):
        self._complain()
        return await super().trail(decision_id)

    def _complain(self):
        if self.ill:
            raise StoreError("the disk is full")


@pytest.fixture
def sick(monkeypatch):
    store = Sick()
    monkeypatch.setattr(assemble, "open_store", lambda config, environ: store)
    return store


class TestStoreInTrouble:
    async def test_does_not_keep_answers_from_their_callers(self, lab, sick):
        router = await lab.router({"small": await lab.server()}, budgets=BUDGETS)
        sick.ill = True
        answer = await router.chat("hello")
        assert (answer.text, answer.recorded) == (TEXT, False)
        async with router.stream("hello") as stream:
            assert "".join([delta.text async for delta in stream]) == TEXT
        assert not stream.answer.recorded
        assert [event.problem for event in lab.events.of(StoreFailed)] == ["the disk is full"] * 2
        assert spent_usd(router) == pytest.approx(2 * COST_USD)
        with pytest.raises(StoreError):
            await router.feedback(answer.decision_id, quality=1.0)
        sick.ill = False
        healthy = await router.chat("hello")
        assert healthy.recorded
        assert await router.feedback(healthy.decision_id, quality=1.0)

    async def test_is_told_of_for_records_too_and_closing_goes_well(self, lab, sick):
        router = await lab.router({"small": await lab.server()}, budgets=BUDGETS)
        decision = router.decide("hello")
        sick.ill = True
        router.record(decision, usage=Usage(6, 6), latency_s=1.0)
        router.record(decision, usage=Usage(6, 6), latency_s=1.0)
        await router.aclose()
        assert {event.problem for event in lab.events.of(StoreFailed)} == {"the disk is full"}

    async def test_that_has_lost_a_decision_does_not_lose_the_answer(self, lab, sick, monkeypatch):
        router = await lab.router({"small": await lab.server()})
        monkeypatch.setattr(sick, "begin", lambda dispatch: None)
        answer = await router.chat("hello")
        assert (answer.text, answer.recorded) == (TEXT, False)
        with pytest.raises(UnknownDecisionError):
            await router.feedback(answer.decision_id, quality=1.0)

    async def test_a_record_of_a_decision_that_is_on_no_record_is_told_of(self, lab):
        router = await lab.router({"small": await lab.server()})
        other = await lab.router({"small": await lab.server()})
        decision = other.decide("hello")
        router.record(decision, usage=Usage(6, 6), latency_s=1.0)
        await router.aclose()
        assert [event.doing for event in lab.events.of(StoreFailed)] == ["record an outcome"]

    async def test_one_that_cannot_be_opened_says_so_on_entering(self, lab):
        store = {"kind": "sqlite", "path": "no/such/folder/decisions.db"}
        router = lab.assembled({"small": await lab.server()}, store=store)
        with pytest.raises(StoreError, match="cannot be opened"):
            async with router:
                pass
        await router.aclose()

    async def test_a_router_that_was_not_entered_says_so_and_holds_nothing(self, lab):
        router = lab.assembled({"small": await lab.server()}, budgets=BUDGETS)
        with pytest.raises(NotOpenError, match="not open yet"):
            await router.chat("hello")
        assert [each.reserved_usd for each in router.learner.ledger.accounts(time.time())] == [0.0]
        await router.aclose()


@pytest.mark.parametrize("keep", [False, True])
async def test_prompts_are_kept_only_where_that_is_asked_for(lab, keep):
    store = {**SQLITE, "keep_prompts": keep}
    router = await lab.router({"small": await lab.server()}, store=store)
    answer = await router.chat("a secret recipe")
    trail = await router.explain(answer.decision_id)
    assert (b"secret recipe" in (trail.dispatch.prompt or b"")) == keep
    await router.aclose()
    written = b"".join(path.read_bytes() for path in Path(lab.folder).glob("decisions.db*"))
    assert (b"secret recipe" in written) == keep
    assert b"sk-main" not in written
    assert TEXT.encode() not in written


async def test_a_prompt_that_cannot_be_kept_holds_nothing(lab):
    """Kept prompts are written down before anything is held for good."""
    router = await lab.router(
        {"small": await lab.server()},
        budgets=[{"usd": 1.0, "per": "day"}],
        store={"kind": "memory", "keep_prompts": True},
    )
    with pytest.raises(InvalidRequestError):
        await router.chat([{"role": "user", "content": "hello", "name": "\ud800"}])
    answer = await router.chat("hello")
    assert b"hello" in (await router.explain(answer.decision_id)).dispatch.prompt
    await lab.at_rest(router)
