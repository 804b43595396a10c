"""Models, prices and budgets change while requests run: nothing fails, is lost or counted twice."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace

import pytest

from banditroute import load_config
from banditroute.changes import Edit, Renamed
from banditroute.errors import (
    BudgetExceededError,
    ConfigError,
    InvalidRequestError,
    NotOpenError,
    UnansweredError,
)
from banditroute.observe import BreakerChanged, KeyChanged, Reloaded, ReloadFailed
from banditroute.records import Usage
from banditroute.routing.catalog import Model, Price
from banditroute.testing.faults import ok
from banditroute.testing.faulty_exchange import Exchange, completion
from banditroute.works import Works

ASKED = "What is the capital of France?"
DAY = {"name": "day", "usd": 1.0, "per": "day"}
PACE = {"name": "pace", "usd_per_request": 1e-4}
PATIENT = {"connect_s": 9.0, "whole_s": 9.0, "first_token_s": 9.0, "total_s": 9.0}  # a gate holds answers back


class Gate:
    """A server's good answers, held back until it opens; `reached` once a request waits."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self, exchange: Exchange) -> None:
        self.reached.set()
        await self.open.wait()
        await ok(exchange)


async def soon(event: asyncio.Event) -> None:
    """Waits for what a server is asked; a call that never comes there fails the test instead of hanging it."""
    async with asyncio.timeout(10):
        await event.wait()


async def taught(router, *names: str, times: int = 6) -> None:
    """Has every model answer and be judged, the first of them best."""
    for number in range(times):
        for place, name in enumerate(names):
            answer = await router.chat(ASKED, model=name, task="qa")
            await router.feedback(answer.decision_id, quality=max(0.9 - 0.3 * place - 0.01 * number, 0.0))


def quality_of(router, name: str) -> tuple[float, float]:
    """What is expected of a model's answers, and how surely; everything solved from the evidence."""
    router.learner.decider.refresh()
    forecast = router.learner.decider.forecasts("qa", 20)[name]
    return forecast.quality, forecast.quality_sd


def spent_usd(router, name: str = "day") -> float:
    return next(each for each in router.learner.ledger.accounts(time.time()) if each.cap.name == name).spent_usd


def with_a_defect(lab, models) -> None:
    """Writes a file that names a grader of one's own, whose module breaks as it is imported."""
    (lab.folder / "breaks_at_once.py").write_text(r"raise RuntimeError('no\nluck')")
    lab.write(models, graders=[{"name": "own", "kind": "breaks_at_once:grade"}])


async def retired(router) -> None:
    """Returns once nothing is left of what served before."""
    async with asyncio.timeout(10):
        while router._former or router._retiring:
            await asyncio.sleep(0.005)


class TestUnderLoad:
    async def test_no_request_fails_is_lost_or_charged_twice(self, lab):
        first, second, third = [await lab.server() for _ in range(3)]
        models = {"small": lab.served(first, max_output_tokens=50), "large": lab.served(second, max_output_tokens=50)}
        steps = [
            {**models, "extra": lab.served(third, max_output_tokens=50, like="large")},  # added
            {**models, "extra": lab.served(third, max_output_tokens=50, input_usd_per_mtok=7.0)},  # repriced
            {**models, "bonus": lab.served(third, max_output_tokens=50, formerly=["extra"])},  # renamed
            {"large": models["large"], "bonus": lab.served(third, max_output_tokens=50, formerly="extra")},  # removed
            {"large": lab.served(third, max_output_tokens=50)},  # removed, and moved to another server
            models,
        ]
        budgets = [{**DAY, "usd": 100.0}, PACE]
        router = await lab.router(models, budgets=budgets, store={"kind": "sqlite"})
        costs: dict[str, float] = {}
        done = asyncio.Event()

        async def work(number: int) -> None:
            while not done.is_set():
                if number % 3:
                    pinned = router.catalog.names[-1] if number == 1 else None
                    answer = await router.chat(ASKED, model=pinned, task="qa")
                else:
                    async with router.stream(ASKED, task="chat", session_id=f"s{number}") as stream:
                        async for _ in stream:
                            pass
                    answer = stream.answer
                assert answer.decision_id not in costs
                costs[answer.decision_id] = answer.cost_usd
                assert await router.feedback(answer.decision_id, quality=0.5)

        async with asyncio.TaskGroup() as group:
            for number in range(8):
                group.create_task(work(number))
            for _ in range(2):
                for step in steps:
                    await asyncio.sleep(0.05)
                    path = lab.write(step, budgets=budgets, store={"kind": "sqlite"})
                    await router.reload(path)
            done.set()
        await retired(router)
        await lab.at_rest(router)

        assert len(lab.events.of(Reloaded)) == 2 * len(steps)
        trails = {trail.decision.decision_id: trail async for trail in router.learner.store.trails()}
        assert trails.keys() == costs.keys()
        assert all(trail.outcome.ok for trail in trails.values())
        again = [trail.outcome.attempts for trail in trails.values() if len(trail.outcome.attempts) != 1]
        assert len(again) <= max(1, len(trails) // 100), again  # on a machine that stalls, one may be asked twice
        state = await router.learner.store.state()
        total = pytest.approx(sum(costs.values()))
        assert (sum(state.spent_usd.values()), spent_usd(router), total) == (total, total, spent_usd(router))
        served = {trail.outcome.served for trail in trails.values()}
        assert served == {"small", "large", "extra", "bonus"}
        assert state.paces["pace"].requests == len(costs) == router.learner.decider.paces[0].requests
        assert router.learner.decider.pacers.covering("", "")[0].pacer._in_flight == 0

    async def test_beliefs_are_those_of_a_router_that_never_reloaded(self, lab, tmp_path):
        server = await lab.server()
        models = {"small": server, "large": server}
        router = await lab.router(models, budgets=[PACE])
        other = await lab.router(models, budgets=[PACE], routing={"deadline_s": 4.0})
        for number in range(12):
            for each in (router, other):
                decision = each.decide(ASKED, model=("small", "large")[number % 2], task=f"t{number % 3}")
                each.record(decision, usage=Usage(20 + number, 10), latency_s=0.5 + 0.1 * number)
                await each.feedback(decision.decision_id, quality=number / 12)
            if number % 4 == 3:
                await router.reload(lab.write(models, budgets=[PACE]))
        for each in (router, other):
            each.learner.decider.refresh()
        mine, theirs = router.learner.decider, other.learner.decider
        assert mine is not theirs
        for task in ("t0", "t2", "never seen"):
            expected = theirs.forecasts(task, 33)
            for name, forecast in mine.forecasts(task, 33).items():
                assert forecast.quality == pytest.approx(expected[name].quality, abs=1e-12)
                assert forecast.latency_s == pytest.approx(expected[name].latency_s, rel=1e-9)
                assert forecast.quality_sd == pytest.approx(expected[name].quality_sd, rel=1e-9)
        assert mine.paces == theirs.paces

    async def test_a_removed_model_finishes_what_it_was_asked_and_teaches_nothing(self, lab):
        gate = Gate()
        slow, server = await lab.server(gate), await lab.server()
        models = {"small": server, "slow": lab.served(slow)}
        router = await lab.router(models, budgets=[DAY], timeouts=PATIENT)
        asking = asyncio.create_task(router.chat(ASKED, model="slow", task="qa", max_tokens=10))
        await soon(gate.reached)
        changes = await router.reload(lab.write({"small": server}, budgets=[DAY]))
        assert changes.removed == ("slow",)
        assert len(router._former) == 1
        with pytest.raises(InvalidRequestError, match="no model is named 'slow'"):
            await router.chat(ASKED, model="slow")
        assert spent_usd(router) == 0.0
        gate.open.set()
        answer = await asking
        assert (answer.model, answer.recorded) == ("slow", True)
        assert spent_usd(router) == pytest.approx(answer.cost_usd)
        before = quality_of(router, "small")
        assert await router.feedback(answer.decision_id, quality=0.0)
        assert quality_of(router, "small") == before
        await retired(router)
        assert await slow.settled(), "its connections are closed with its last request"
        await router.chat(ASKED)
        await lab.at_rest(router)

    async def test_a_stream_goes_on_with_what_it_began_with(self, lab):
        gate = Gate()
        old, new = await lab.server(gate), await lab.server()
        times = PATIENT
        router = await lab.router({"old": old}, timeouts=times)
        waiting = router.stream(ASKED)
        async with router.stream(ASKED) as stream:
            reading = asyncio.create_task(anext(stream))
            await soon(gate.reached)
            await router.reload(lab.write({"new": new}, timeouts=times))
            async with waiting:  # it begins now, with what is in force
                async for _ in waiting:
                    pass
            gate.open.set()
            await reading
            async for _ in stream:
                pass
        assert (stream.answer.model, waiting.answer.model) == ("old", "new")
        await retired(router)
        await lab.at_rest(router)

    async def test_closing_ends_requests_of_every_configuration(self, lab):
        gate = Gate()
        server = await lab.server(gate)
        router = await lab.router({"a": server}, timeouts=PATIENT)
        asking = []
        for name in ("b", "c"):
            asking.append(asyncio.create_task(router.chat(ASKED)))
            await soon(gate.reached)
            gate.reached.clear()
            await router.reload(lab.write({name: server}, timeouts=PATIENT))
        await router.aclose()
        ended = await asyncio.gather(*asking, return_exceptions=True)
        assert [type(each) for each in ended] == [UnansweredError] * 2
        assert await server.settled()
        with pytest.raises(NotOpenError):
            await router.reload()


class TestPrices:
    async def test_a_new_price_is_what_the_next_decision_goes_by(self, lab):
        server = await lab.server()
        models = {"small": lab.served(server, max_output_tokens=50), "large": lab.served(server, max_output_tokens=50)}
        router = await lab.router(models, budgets=[PACE])
        before = router.decide(ASKED, task="qa").forecasts
        dearer = lab.served(server, max_output_tokens=50, input_usd_per_mtok=4.0, output_usd_per_mtok=8.0)
        changes = await router.reload(lab.write({**models, "large": dearer}, budgets=[PACE]))
        after = router.decide(ASKED, task="qa").forecasts
        assert after["large"].cost_usd == pytest.approx(4 * before["large"].cost_usd)
        assert after["small"].cost_usd == before["small"].cost_usd
        assert changes.repriced == (
            Edit("large", "input_usd_per_mtok", 1.0, 4.0),
            Edit("large", "output_usd_per_mtok", 2.0, 8.0),
        )
        assert (await router.chat(ASKED, model="large")).cost_usd == pytest.approx((18 * 4.0 + 6 * 8.0) / 1e6)

    async def test_a_call_that_was_decided_before_is_recorded_at_its_price(self, lab):
        server = await lab.server()
        router = await lab.router({"small": server, "gone": server}, budgets=[DAY])
        decision = router.decide(ASKED, model="gone", task="qa")
        await router.reprice("gone", Price(50.0, 50.0))
        await router.remove_model("gone")
        router.record(decision, usage=Usage(18, 6), latency_s=0.1)
        assert await router.feedback(decision.decision_id, quality=1.0)
        outcome = (await router.explain(decision.decision_id)).outcome
        assert (outcome.served, outcome.cost_usd) == ("gone", pytest.approx((18 * 1.0 + 6 * 2.0) / 1e6))
        assert spent_usd(router) == pytest.approx(outcome.cost_usd)


class TestNames:
    async def test_a_renamed_model_keeps_what_is_known_of_it_for_good(self, lab):
        server = await lab.server()
        store = {"store": {"kind": "sqlite"}}
        router = await lab.router({"old": server, "other": server}, **store)
        await taught(router, "old", "other")
        late = await router.chat(ASKED, model="old", task="qa", session_id="talk")
        known = quality_of(router, "old")
        renamed = {"other": server, "new": lab.served(server, formerly="old")}
        changes = await router.reload(lab.write(renamed, **store))
        assert (changes.renamed, changes.added, changes.removed) == ((Renamed("old", "new"),), (), ())
        assert quality_of(router, "new") == pytest.approx(known)
        assert await router.feedback(late.decision_id, quality=0.0)
        assert quality_of(router, "new")[0] < known[0]
        assert (await router.chat(ASKED, model="old", task="qa")).model == "new"
        assert (await router.chat(ASKED, denied=["old"])).model == "other"
        await taught(router, "new", times=2)
        known = quality_of(router, "new")
        await router.aclose()
        for _ in range(2):  # and however often it is restarted
            again = await lab.router(renamed, **store)
            assert quality_of(again, "new") == pytest.approx(known)
            await again.aclose()

    async def test_a_conversation_stays_with_a_model_that_is_renamed(self, lab):
        server = await lab.server()
        staying = {"session_stay_quality": 1.0, "seed": 7}
        router = await lab.router({"old": server, "other": server}, routing=staying)
        await router.chat(ASKED, model="old", session_id="talk")
        await router.reload(lab.write({"other": server, "new": lab.served(server, formerly=["old"])}, routing=staying))
        decision = router.decide(ASKED, session_id="talk")
        assert decision.propensities["new"] > 0.95 > router.decide(ASKED).propensities["new"]

    async def test_a_model_that_returns_is_known(self, lab):
        server = await lab.server()
        router = await lab.router({"small": server, "large": server})
        await taught(router, "small", "large")
        known = quality_of(router, "large")
        await router.remove_model("large")
        await router.reload()
        assert quality_of(router, "large") == pytest.approx(known)

    async def test_a_newcomer_starts_from_the_model_that_it_is_like_until_it_shows_otherwise(self, lab):
        server = await lab.server()
        store = {"store": {"kind": "sqlite"}}
        models = {"small": server, "large": server}
        router = await lab.router(models, **store)
        await taught(router, "small", "large", times=20)
        models = {**models, "plain": server, "twin": lab.served(server, like="small")}
        await router.reload(lab.write(models, **store))
        known, alike, plain = (quality_of(router, name) for name in ("small", "twin", "plain"))
        assert alike[0] == pytest.approx(known[0], abs=0.02)
        assert abs(plain[0] - known[0]) > 0.05
        assert alike[1] < plain[1] / 2
        for _ in range(25):
            answer = await router.chat(ASKED, model="twin", task="qa")
            await router.feedback(answer.decision_id, quality=0.1)
        assert quality_of(router, "twin")[0] == pytest.approx(0.1, abs=0.1)
        learned = quality_of(router, "twin"), quality_of(router, "small")
        await router.aclose()
        again = await lab.router(models, **store)
        assert (quality_of(again, "twin"), quality_of(again, "small")) == (
            pytest.approx(learned[0]),
            pytest.approx(learned[1]),
        )


class TestBudgets:
    async def test_caps_keep_what_is_spent_and_paces_where_they_stand(self, lab):
        server = await lab.server()
        router = await lab.router({"small": server}, budgets=[DAY, PACE])
        for _ in range(5):
            await router.chat(ASKED, max_tokens=10)
        spent, pace = spent_usd(router), next(each for each in router.learner.decider.paces if each.budget == "pace")
        assert spent > 0
        budgets = [{**DAY, "usd": 2.0}, {"name": "tenth", "usd": 0.1, "per": "day", "scope": "tenant:a"}, PACE]
        changes = await router.reload(lab.write({"small": server}, budgets=budgets))
        assert changes.budgets == (Edit("day", "usd", 1.0, 2.0), Edit("tenth", "usd", None, 0.1))
        assert spent_usd(router) == spent
        assert next(each for each in router.learner.decider.paces if each.budget == "pace") == pace
        await router.reload(lab.write({"small": server}, budgets=[PACE]))
        await router.reload(lab.write({"small": server}, budgets=[DAY, PACE]))
        assert spent_usd(router) == spent

    async def test_a_cap_that_is_lowered_below_what_is_spent_refuses(self, lab):
        server = await lab.server()
        reject = {**DAY, "on_exhausted": "reject"}
        router = await lab.router({"small": server}, budgets=[reject])
        await router.chat(ASKED, max_tokens=10)
        await router.reload(lab.write({"small": server}, budgets=[{**reject, "usd": 1e-6}]))
        with pytest.raises(BudgetExceededError, match="day"):
            await router.chat(ASKED, max_tokens=10)
        await router.reload(lab.write({"small": server}, budgets=[reject]))
        await router.chat(ASKED, max_tokens=10)

    async def test_what_is_held_by_requests_on_their_way_stays_held(self, lab):
        gate = Gate()
        server = await lab.server(gate)
        times = PATIENT
        router = await lab.router({"small": server}, budgets=[DAY], timeouts=times)
        asking = asyncio.create_task(router.chat(ASKED, max_tokens=1000))
        await soon(gate.reached)
        held = router.learner.ledger.accounts(time.time())[0].reserved_usd
        assert held > 0
        budgets = [{**DAY, "usd": 3.0}, {"name": "new", "usd_per_request": 1e-4}]
        await router.reload(lab.write({"small": server}, budgets=budgets, timeouts=times))
        assert router.learner.ledger.accounts(time.time())[0].reserved_usd == held
        gate.open.set()
        answer = await asking
        assert spent_usd(router) == pytest.approx(answer.cost_usd)
        pacers = {each.name: each.pacer for each in router.learner.decider.pacers.covering("", "")}
        assert (pacers["new"].paid, pacers["new"]._in_flight, pacers["new"]._awaited_usd) == (1, 0, 0.0)
        await lab.at_rest(router)

    async def test_a_place_that_comes_into_use_while_others_retire_keeps_its_connections(self, lab, monkeypatch):
        here, there = await lab.server(), await lab.server()
        router = await lab.router({"here": here})
        hang_up = Works.hang_up

        async def slowly(works, used=()):
            monkeypatch.undo()
            await router.reload(lab.write({"back": here, "there": there}))
            await hang_up(works, used)

        monkeypatch.setattr(Works, "hang_up", slowly)
        await router.reload(lab.write({"there": there}))
        await retired(router)
        assert (await router.chat(ASKED, model="back")).model == "back"
        await lab.at_rest(router)


class TestRefusals:
    async def test_a_bad_file_changes_nothing_and_says_why(self, lab):
        server = await lab.server()
        router = await lab.router({"small": server, "large": server}, budgets=[PACE])
        works, decider = router._works, router.learner.decider
        path = lab.folder / "router.toml"
        good = path.read_text()
        path.write_text(good.replace("output_usd_per_mtok = 2.0", "output_usd_per_mtok = -2.0"))
        with pytest.raises(ConfigError, match=r"router.toml:\d+: .*output_usd_per_mtok"):
            await router.reload()
        path.write_text(good.replace("[[budgets]]", "[[budgets"))
        with pytest.raises(ConfigError, match="not TOML"):
            await router.reload()
        path.unlink()
        with pytest.raises(ConfigError, match="cannot be read"):
            await router.reload()
        assert (router._works, router.learner.decider) == (works, decider)
        assert len(lab.events.of(ReloadFailed)) == 3
        assert (await router.chat(ASKED)).recorded
        path.write_text(good)
        assert str(await router.reload()) == "nothing changed"

    async def test_a_defect_in_a_module_that_the_file_names_comes_through_and_is_told(self, lab, monkeypatch):
        server = await lab.server()
        router = await lab.router({"small": server})
        monkeypatch.syspath_prepend(lab.folder)
        with_a_defect(lab, {"small": server})
        with pytest.raises(RuntimeError, match="no\nluck"):
            await router.reload()
        assert [event.problem for event in lab.events.of(ReloadFailed)] == ["RuntimeError: no luck"]
        assert (await router.chat(ASKED)).recorded

    @pytest.mark.parametrize(
        ("section", "fields", "key"),
        [
            ("store", {"kind": "sqlite"}, "store.kind"),
            ("store", {"kind": "memory", "keep_prompts": True}, "store.keep_prompts"),
            ("routing", {"encoder": "prompt"}, "routing.encoder"),
            ("routing", {"features": 3}, "routing.features"),
            ("routing", {"seed": 8}, "routing.seed"),
        ],
    )
    async def test_what_takes_a_restart_is_named(self, lab, section, fields, key):
        server = await lab.server()
        router = await lab.router({"small": server})
        with pytest.raises(ConfigError, match=rf"router.toml: {key}: cannot change while the router runs"):
            await router.reload(lab.write({"small": server}, **{section: fields}))

    async def test_another_place_of_the_store_is_refused_and_the_same_by_another_path_is_not(self, lab, monkeypatch):
        server = await lab.server()
        router = await lab.router({"small": server}, store={"kind": "sqlite", "path": "a.db"})
        monkeypatch.chdir(lab.folder)
        await router.reload("router.toml")
        with pytest.raises(ConfigError, match=r"store.path: .*the store in use is .*a\.db"):
            await router.reload(lab.write({"small": server}, store={"kind": "sqlite", "path": "b.db"}))

    async def test_a_key_that_is_not_there_is_named(self, lab):
        server = await lab.server()
        router = await lab.router({"small": server})
        with pytest.raises(ConfigError, match="ANOTHER_KEY"):
            await router.reload(lab.write({"small": server, "more": lab.served(server, ["ANOTHER_KEY"])}))
        assert router.catalog.names == ("small",)


class TestHealth:
    async def test_circuits_stay_open_and_open_anew_where_a_model_moves(self, lab):
        bad, good = await lab.server("500"), await lab.server()
        models = {"good": good, "bad": bad}
        breaker = {"consecutive": 2, "open_s": 60.0}
        router = await lab.router(models, breaker=breaker)
        with pytest.raises(UnansweredError):
            await router.chat(ASKED, model="bad")
        assert lab.events.of(BreakerChanged)
        changes = await router.reload(lab.write(models, breaker={**breaker, "window": 10}, retry={"rounds": 0}))
        assert changes.settings == ("retry", "breaker")
        asked = bad.requests
        with pytest.raises(UnansweredError, match="circuit open"):
            await router.chat(ASKED, model="bad")
        assert bad.requests == asked
        renamed = {"good": good, "worse": lab.served(bad, formerly="bad", upstream="bad")}
        await router.reload(lab.write(renamed, breaker=breaker))
        with pytest.raises(UnansweredError, match="circuit open"):
            await router.chat(ASKED, model="worse")
        await router.reload(lab.write({"good": good, "worse": good}, breaker=breaker))
        assert (await router.chat(ASKED, model="worse")).model == "worse"

    async def test_a_circuit_that_opens_by_a_call_from_before_is_open_now(self, lab):
        gate = asyncio.Event()
        reached = asyncio.Event()

        async def failing(exchange: Exchange) -> None:
            reached.set()
            await gate.wait()
            exchange.reply(500, {"error": {"message": "boom"}})

        bad, good = await lab.server(failing), await lab.server()
        sections = {"breaker": {"consecutive": 1, "open_s": 60.0}, "timeouts": PATIENT}
        router = await lab.router({"bad": bad, "good": good}, retry={"same_model": 0, "rounds": 0}, **sections)
        asking = asyncio.create_task(router.chat(ASKED, model="bad"))
        await soon(reached)
        await router.reload(lab.write({"bad": bad, "good": good, "more": good}, **sections))
        gate.set()
        with pytest.raises(UnansweredError):
            await asking
        assert "circuit open" in router.decide(ASKED).excluded["bad"]

    async def test_keys_cool_on_and_refused_ones_get_another_chance(self, lab):
        limited, refusing = await lab.server(script=["429-seconds"]), await lab.server(script=["401"])
        models = {"limited": limited, "refusing": lab.served(refusing, ["LAB_SPARE"])}
        router = await lab.router(models, retry={"rounds": 0, "same_model": 0})
        for name in models:
            with pytest.raises(UnansweredError):
                await router.chat(ASKED, model=name)
        await router.reload(lab.write({**models, "more": limited}, retry={"rounds": 0, "same_model": 0}))
        assert "no key" in router.decide(ASKED).excluded["limited"]
        assert lab.events.of(KeyChanged)[-1] == KeyChanged("host1", "LAB_SPARE", "")
        assert (await router.chat(ASKED, model="refusing")).model == "refusing"


class TestGradersAndShadow:
    async def test_a_judge_that_is_asked_says_its_word_after_it_is_gone(self, lab):
        reached, gate = asyncio.Event(), asyncio.Event()

        async def judging(exchange: Exchange) -> None:
            reached.set()
            await gate.wait()
            message = {"role": "assistant", "content": '{"score": 7}'}
            exchange.reply(200, completion(choices=[{"index": 0, "message": message, "finish_reason": "stop"}]))

        small, judge = await lab.server(), await lab.server(judging)
        sections = {"timeouts": PATIENT}
        router = await lab.router(
            {"small": small, "judge": judge}, judges=[{"name": "quality", "model": "judge", "share": 1.0}], **sections
        )
        answer = await router.chat(ASKED, model="small", task="qa")
        await soon(reached)
        await router.reload(lab.write({"small": small}, **sections))
        assert router._former, "it waits for the judge"
        gate.set()
        await retired(router)
        (judged,) = (await router.explain(answer.decision_id)).feedback
        assert (judged.source, judged.quality) == ("quality", 0.7)
        assert await judge.settled()
        await lab.at_rest(router)

    async def test_a_shadow_goes_on_and_a_new_one_knows_what_the_router_knows(self, lab):
        server = await lab.server()
        models = {"small": server, "large": server}
        router = await lab.router(models, budgets=[PACE])
        await taught(router, "small", "large")
        for _ in range(2):
            await router.reload(lab.write(models, budgets=[PACE], shadow={"share": 1.0}))
            shadow = router._works.shadow
            assert shadow.decider is not router.learner.decider
            mine, its = (each.forecasts("qa", 20) for each in (router.learner.decider, shadow.decider))
            assert its["small"].quality == pytest.approx(mine["small"].quality)
            answer = await router.chat(ASKED, task="qa")
            assert answer.decision.shadow is not None
            await router.feedback(answer.decision_id, quality=0.4)
        assert shadow.paces[0].requests == 2
        await router.reload(lab.write(models, budgets=[PACE]))
        assert (await router.chat(ASKED)).decision.shadow is None


class TestEdits:
    async def test_models_are_added_renamed_repriced_and_removed_without_a_file(self, lab):
        server = await lab.server()
        router = await lab.router({"small": server})
        large = Model("large", "host0", "large", Price(5.0, 5.0))
        await asyncio.gather(router.add_model(large), router.reprice("small", Price(0.0, 0.0)))
        assert router.catalog.names == ("small", "large")
        assert (await router.chat(ASKED, model="small")).cost_usd == 0.0
        await router.rename_model("large", "huge")
        assert (await router.chat(ASKED, model="huge")).model == "huge"
        assert router._works.endpoints["host0"].wire is not None
        changes = await router.remove_model("huge")
        assert (changes.removed, router.catalog.names) == (("huge",), ("small",))
        assert server.connections_opened == 1, "an unchanged provider keeps its connections"
        await retired(router)
        assert (await router.reload()).repriced[0] == Edit("small", "input_usd_per_mtok", 0.0, 1.0)
        assert (await router.chat(ASKED)).recorded
        assert server.connections_opened == 1

    async def test_an_edit_that_does_not_hold_together_changes_nothing(self, lab):
        server = await lab.server()
        judges = [{"name": "j", "model": "judge"}]
        router = await lab.router({"small": server, "judge": lab.served(server, routed=False)}, judges=judges)
        for edit, problem in (
            (router.add_model(Model("more", "hots0", "more", Price(1.0, 1.0))), "did you mean 'host0'"),
            (router.add_model(Model("small", "host0", "more", Price(1.0, 1.0))), "two models are named 'small'"),
            (router.remove_model("judge"), "judge 'j' needs a model 'judge'"),
            (router.remove_model("smal"), "did you mean 'small'"),
            (router.rename_model("small", "judge"), "two models are named 'judge'"),
        ):
            with pytest.raises(ConfigError, match=problem):
                await edit
        assert router.catalog.names == ("small", "judge")

    async def test_a_configuration_in_hand_can_be_reloaded(self, lab):
        server = await lab.server()
        router = await lab.router({"small": server})
        config = load_config(lab.folder / "router.toml")
        changes = await router.reload(replace(config, hedging=replace(config.hedging, share=0.1)))
        assert changes.settings == ("hedge",)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no such signal here")
class TestSignal:
    async def test_a_process_reloads_when_told_to_and_survives_a_bad_file(self, lab):
        server = await lab.server()
        path = lab.write({"small": server})
        program = textwrap.dedent(
            """
            import asyncio, sys
            from banditroute import open_router
            from banditroute.observe import Reloaded, ReloadFailed
            from banditroute.reloading import reload_on_sighup

            class Observer:
                def notify(self, event):
                    if isinstance(event, (Reloaded, ReloadFailed)):
                        print(type(event).__name__, ",".join(router.catalog.names), flush=True)

            router = open_router(sys.argv[1], environ={"LAB_KEY": "k"}, observer=Observer())

            async def main():
                async with router, reload_on_sighup(router):
                    print("ready", flush=True)
                    await asyncio.sleep(30)

            asyncio.run(main())
            """
        )
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", program, str(path)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(lab.folder)},
        )
        try:
            async with asyncio.timeout(20):
                assert await process.stdout.readline() == b"ready\n"
                lab.write({"small": server, "large": server})
                process.send_signal(signal.SIGHUP)
                assert await process.stdout.readline() == b"Reloaded small,large\n"
                path.write_text("nonsense")
                process.send_signal(signal.SIGHUP)
                assert await process.stdout.readline() == b"ReloadFailed small,large\n"
                with_a_defect(lab, {"small": server})
                process.send_signal(signal.SIGHUP)
                assert await process.stdout.readline() == b"ReloadFailed small,large\n"
                lab.write({"large": server})
                process.send_signal(signal.SIGHUP)
                assert await process.stdout.readline() == b"Reloaded large\n"
        finally:
            process.kill()
            _, errors = await process.communicate()
        assert b"breaks_at_once.py" in errors, "the traceback of the defect, and where it is"
