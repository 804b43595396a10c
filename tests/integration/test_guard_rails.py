"""Guard rails as an operator meets them: switches that act at once and last, and files that say what is wrong."""

import asyncio
from pathlib import Path

import pytest

from banditroute.cli.app import run
from banditroute.config import check_config
from banditroute.errors import ConfigError, NotOpenError
from banditroute.observe import StoreFailed, SwitchPassedOver
from banditroute.storage.sqlite import SQLiteStore

PROMPT = "What is the capital of France?"
ON_DISK = {"kind": "sqlite", "path": "store.db"}


@pytest.fixture
async def models(lab):
    dear = {"input_usd_per_mtok": 50.0, "output_usd_per_mtok": 100.0}
    return {"small": await lab.server(), "large": lab.served(await lab.server(), **dear)}


async def served(router, count=12, **terms):
    """The models that answered so many requests."""
    return [(await router.chat(PROMPT, **terms)).model for _ in range(count)]


def guards_of_record(router):
    """What of a router's guards outlives it."""
    return [record for record in router.learner.decider.paces if record.budget.startswith("guard/")]


class TestSwitching:
    async def test_everything_goes_to_one_model_but_what_is_pinned_and_it_is_learned_from(self, lab, models):
        router = await lab.router(models)
        await router.switch_to("large")
        assert set(await served(router)) == {"large"}
        assert set(await served(router, 2, model="small")) == {"small"}
        answer = await router.chat(PROMPT, task="qa")
        trail = await router.explain(answer.decision_id)
        assert trail.decision.propensities == {"small": 0.0, "large": 1.0}
        assert "+only:large" in trail.decision.policy_version
        before = router.learner.decider.forecasts("qa", 400)["large"].quality
        await router.feedback(answer.decision_id, quality=0.1)
        assert router.learner.decider.forecasts("qa", 400)["large"].quality < before
        await router.switch_to(None)
        assert set(await served(router, 30)) == {"small", "large"}

    async def test_a_caller_with_its_own_client_is_switched_too(self, lab, models):
        router = await lab.router(models)
        await router.switch_to("small")
        assert {router.decide(PROMPT).chosen for _ in range(10)} == {"small"}

    async def test_a_model_that_fails_is_replaced_and_that_is_told(self, lab):
        router = await lab.router(
            {"broken": await lab.server("500"), "small": await lab.server()}, guard={"only": "broken"}
        )
        assert set(await served(router)) == {"small"}
        assert {event.model for event in lab.events.of(SwitchPassedOver)} == {"broken"}
        await lab.at_rest(router)

    async def test_a_cap_that_is_reached_still_has_the_cheapest(self, lab, models):
        cap = {"usd": 1e-4, "per": "day", "on_exhausted": "cheapest"}
        router = await lab.router(models, budgets=[cap], guard={"only": "large"})
        assert set(await served(router)) == {"small"}

    async def test_an_unknown_model_changes_nothing(self, lab, models):
        router = await lab.router(models)
        with pytest.raises(ConfigError, match="'lagre'"):
            await router.switch_to("lagre")
        assert router.learner.switches.values["only"] == ""

    async def test_a_closed_router_says_so(self, lab, models):
        router = await lab.router(models)
        await router.aclose()
        for call in (router.switch_to("small"), router.freeze(), router.unfreeze()):
            with pytest.raises(NotOpenError):
                await call


class TestLasting:
    async def test_switches_outlive_the_process_until_the_file_is_changed(self, lab, models):
        async with lab.assembled(models, store=ON_DISK) as router:
            await router.switch_to("large")
            await router.freeze()
        async with lab.assembled(models, store=ON_DISK) as router:
            assert set(await served(router)) == {"large"}
            assert router.learner.switches.values == {"freeze": "exploration", "only": "large"}
        async with lab.assembled(models, store=ON_DISK, guard={"only": "small"}) as router:
            assert set(await served(router)) == {"small"}
            assert router.learner.switches.values["freeze"] == "exploration"
            await router.switch_to(None)
        async with lab.assembled(models, store=ON_DISK, guard={"only": "small"}) as router:
            assert router.learner.switches.values == {"freeze": "exploration", "only": ""}

    async def test_what_the_file_overruled_does_not_come_back_with_the_old_file(self, lab, models):
        async with lab.assembled(models, store=ON_DISK) as router:
            await router.switch_to("large")
        for guard, only in (({"only": "small"}, "small"), ({}, "")):
            async with lab.assembled(models, store=ON_DISK, guard=guard) as router:
                assert router.learner.switches.values["only"] == only

    async def test_what_is_thrown_now_is_not_undone_by_what_was_kept_before(self, lab, models):
        router = await lab.router(models)
        await router.switch_to("large")
        kept = await router.learner.store.switches()
        await router.switch_to("small")
        for switch in kept:
            router.learner.switches.take_up(switch)
        assert router.learner.switches.values["only"] == "small"

    async def test_another_process_on_the_same_store_follows(self, lab, models, monkeypatch):
        monkeypatch.setattr("banditroute.learner._TICK_S", 0.02)
        one = await lab.router(models, store=ON_DISK)
        two = await lab.router(models, store=ON_DISK)
        await one.switch_to("large")
        async with asyncio.timeout(5.0):
            while two.learner.switches.values["only"] != "large":
                await asyncio.sleep(0.01)
        assert set(await served(two)) == {"large"}

    async def test_a_store_that_cannot_be_read_is_told_and_asked_again(self, lab, models, monkeypatch):
        monkeypatch.setattr("banditroute.learner._TICK_S", 0.02)
        router = await lab.router(models)
        await router.learner.store.aclose()
        async with asyncio.timeout(5.0):
            while len(lab.events.of(StoreFailed)) < 2:
                await asyncio.sleep(0.01)
        assert lab.events.of(StoreFailed)[0].doing == "read the switches"
        await router.learner.store.open()

    async def test_a_reload_keeps_what_was_thrown_unless_the_file_says_otherwise(self, lab, models):
        router = await lab.router(models)
        await router.switch_to("large")
        lab.write(models, guard={"freeze": True})
        await router.reload()
        assert router.learner.switches.values == {"freeze": "exploration", "only": "large"}
        assert set(await served(router)) == {"large"}
        lab.write(models, guard={"only": "small"})
        await router.reload()
        assert set(await served(router)) == {"small"}
        with pytest.raises(ConfigError, match=r"guard\.only"):
            await router.remove_model("small")


class TestOthers:
    async def test_the_baseline_serves_first_and_its_margin_is_kept(self, lab, models):
        guard = {"baseline": "large", "alpha": 0.1}
        async with lab.assembled(models, store=ON_DISK, guard=guard) as router:
            assert await served(router, 3) == ["large"] * 3
            (kept,) = guards_of_record(router)
        async with lab.assembled(models, store=ON_DISK, guard=guard) as router:
            assert guards_of_record(router) == [kept]
        assert (kept.budget, kept.requests) == ("guard/baseline/large", 3)
        assert kept.log_price > 0.0

    async def test_inspect_says_what_is_on_and_what_it_did(self, lab, models, capsys):
        async with lab.assembled(models, store=ON_DISK, guard={"most_exploration": 0.0}) as router:
            await router.switch_to("large")
            await served(router, 4)
        code = await asyncio.to_thread(run, ["inspect", "--config", str(lab.folder / "router.toml")])
        shown = capsys.readouterr().out
        assert code == 0
        assert "only large" in shown
        assert "4 of 4" in shown

    async def test_a_shadow_is_not_bent(self, lab, models):
        router = await lab.router(models, guard={"only": "small"}, shadow={"share": 1.0})
        answer = await router.chat(PROMPT)
        decision = (await router.explain(answer.decision_id)).decision
        assert decision.propensities == {"small": 1.0, "large": 0.0}
        assert max(decision.shadow.propensities.values()) < 1.0


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('only = "smal"', "no model is named 'smal'; did you mean 'small'?"),
        ('baseline = "huge"', "no model is named 'huge'"),
        ('baseline = "small"\nalpha = 1.0', "guard.alpha"),
        ('baseline = "small"\nconfidence = 95', "guard.confidence"),
        ("most_exploration = 5", "guard.most_exploration"),
        ('freeze = "learning"', "guard.freeze"),
        ('on = "small"', "guard.on"),
    ],
)
async def test_a_file_that_is_wrong_says_so_in_one_line(lab, models, lines, words):
    path = lab.write(models)
    path.write_text(f"{path.read_text()}\n[guard]\n{lines}\n")
    (problem,) = check_config(path).problems
    assert words in str(problem)
    assert problem.line is not None


async def test_a_model_that_is_not_routed_cannot_be_a_baseline(lab, models):
    path = lab.write({**models, "judge": lab.served(models["small"], routed=False)}, guard={"baseline": "judge"})
    (problem,) = check_config(path).problems
    assert "'judge' is not routed" in str(problem)


async def test_a_store_of_before_switches_is_brought_up_to_date(tmp_path: Path):
    import sqlite3

    path = tmp_path / "old.db"
    script = (Path(__file__).parents[1] / "data" / "store_v1.sql").read_text()
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()
    store = SQLiteStore(path)
    await store.open()
    assert await store.switches() == []
    await store.aclose()
