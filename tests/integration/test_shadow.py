"""A shadow decides beside pinned and drawn calls, calls nobody, learns what the router learns, survives a restart."""

import asyncio
import json

import pytest

from banditroute.cli.app import run
from banditroute.config import load_config
from banditroute.errors import ConfigError
from banditroute.observe import ShadowFailed
from banditroute.routing.shadow import SHADOWS
from banditroute.storage.decision_log import log_row
from banditroute.testing.faults import close_on_request

PROMPT = "What is the capital of France?"
PACE = [{"name": "pace", "usd_per_request": 3e-4}]
ON_DISK = {"kind": "sqlite", "path": "store.db"}
RIVAL = """
[[providers]]
name = "elsewhere"
kind = "openai"
base_url = "http://127.0.0.1:9/v1"

[[models]]
name = "small"
provider = "elsewhere"
input_usd_per_mtok = 7.0
output_usd_per_mtok = 7.0

[[models]]
name = "unheard-of"
provider = "elsewhere"
input_usd_per_mtok = 1.0
output_usd_per_mtok = 1.0
"""


@pytest.fixture
async def models(lab):
    dear = {"input_usd_per_mtok": 50.0, "output_usd_per_mtok": 100.0}
    return {"small": await lab.server(), "large": lab.served(await lab.server(), **dear)}


async def decided(router, count=20, **terms):
    """The decisions on so many requests, as they are on record."""
    answers = [await router.chat(PROMPT, **terms) for _ in range(count)]
    return [(await router.explain(answer.decision_id)).decision for answer in answers]


class TestBesidePinnedCalls:
    async def test_it_says_what_the_router_would_have_drawn_and_calls_nobody(self, lab, models):
        router = await lab.router(models, shadow={"share": 1.0})
        (decision,) = await decided(router, 1, model="large")
        shadow = decision.shadow
        assert (decision.pinned, decision.chosen, list(decision.propensities)) == (True, "large", ["large"])
        assert shadow.name == "shadow"
        assert set(shadow.propensities) == set(shadow.forecasts) == {"small", "large"}
        assert sum(shadow.propensities.values()) == pytest.approx(1.0)
        assert shadow.chosen in shadow.propensities
        await lab.at_rest(router)

    async def test_only_a_share_of_the_traffic_is_decided_on(self, lab, models):
        router = await lab.router(models, shadow={"share": 0.3})
        found = await decided(router, 150, model="small")
        assert 20 < sum(each.shadow is not None for each in found) < 75

    async def test_it_learns_from_what_the_pinned_model_got(self, lab, models):
        router = await lab.router(models, shadow={"share": 1.0})
        for _ in range(30):
            answer = await router.chat(PROMPT, model="large", task="qa")
            await router.feedback(answer.decision_id, quality=0.9)
        (decision,) = await decided(router, 1, model="large", task="qa")
        forecasts = decision.shadow.forecasts
        assert forecasts["large"].quality == pytest.approx(0.9, abs=0.05)
        assert forecasts["large"].quality_sd < forecasts["small"].quality_sd

    async def test_its_pace_is_charged_with_its_own_choices(self, lab, models):
        """All calls go to the dear model; the shadow, which would have called the cheap one, feels no such bill."""
        router = await lab.router(models, budgets=PACE, shadow={"share": 1.0})
        found = await decided(router, 60, model="large")
        router_price, shadow_price = (each.shadow_prices["pace"] for each in (found[-1], found[-1].shadow))
        assert shadow_price < router_price
        spent = {each.budget: each for each in router.learner._paces(found[-1])}
        own = sum(each.shadow.forecasts[each.shadow.chosen].cost_usd for each in found)
        assert own < sum(each.forecasts["large"].cost_usd for each in found)
        assert {"pace", f"{SHADOWS}shadow/pace"} <= set(spent)

    async def test_embeddings_are_left_alone(self, lab, models):
        async def embed(exchange):
            data = [{"object": "embedding", "index": 0, "embedding": [0.5]}]
            exchange.reply(200, {"data": data, "model": "vectors", "usage": {"prompt_tokens": 8, "total_tokens": 8}})

        router = await lab.router({**models, "vectors": await lab.server(embed)}, shadow={"share": 1.0})
        embedded = await router.embed(["a text"], model="vectors")
        assert (await router.explain(embedded.decision_id)).decision.shadow is None
        assert lab.events.of(ShadowFailed) == []

    async def test_a_request_that_none_of_its_models_may_serve_is_served_and_told_of(self, lab, models):
        (lab.folder / "rival.toml").write_text(RIVAL)
        router = await lab.router(models, shadow={"policy": "rival.toml"})
        (decision,) = await decided(router, 1, denied=["small"])
        assert decision.shadow is None
        (failed,) = lab.events.of(ShadowFailed)
        assert (failed.shadow, failed.doing) == ("shadow", "decide")
        assert "no eligible model" in failed.problem


class TestBesideDrawnCalls:
    async def test_the_routers_draws_are_what_they_would_be_without_it(self, lab, models):
        alone = await lab.router(models, budgets=PACE)
        without = [(each.chosen, each.propensities) for each in await decided(alone, 25)]
        await alone.aclose()
        beside = await lab.router(models, budgets=PACE, shadow={"share": 0.5, "name": "same"})
        found = await decided(beside, 25)
        assert [each.chosen for each in found] == [chosen for chosen, _ in without]
        assert 0 < sum(each.shadow is not None for each in found) < 25

    async def test_another_file_decides_among_the_models_that_both_have(self, lab, models):
        (lab.folder / "rival.toml").write_text(RIVAL)
        router = await lab.router(models, shadow={"policy": "rival.toml", "name": "rival"})
        (decision,) = await decided(router, 1)
        shadow = decision.shadow
        assert (shadow.name, shadow.propensities) == ("rival", {"small": 1.0})
        assert shadow.forecasts["small"] == decision.forecasts["small"]  # at this file's prices, not at the other's

    async def test_a_fallback_keeps_what_the_shadow_had_said(self, lab, models):
        broken = {**models, "large": await lab.server(close_on_request)}
        router = await lab.router(broken, shadow={"share": 1.0})
        found = await decided(router, 8)
        assert all(each.shadow is not None for each in found)


class TestItsMemory:
    async def test_a_restart_takes_up_beliefs_and_pace(self, lab, models):
        sections = {"budgets": PACE, "shadow": {"share": 1.0}, "store": ON_DISK}
        router = await lab.router(models, **sections)
        for _ in range(40):
            answer = await router.chat(PROMPT, model="large", task="qa")
            await router.feedback(answer.decision_id, quality=0.9)
        before = router.learner._shadow.decider
        await router.aclose()
        after = (await lab.router(models, **sections)).learner._shadow.decider
        assert after.paces == before.paces
        assert after.paces[0].requests == 40
        for model, forecast in after.forecasts("qa", 10).items():
            assert forecast.quality == pytest.approx(before.forecasts("qa", 10)[model].quality, abs=0.02)

    async def test_what_is_rebuilt_is_what_is_kept(self, lab, models):
        router = await lab.router(models, budgets=PACE, shadow={"share": 1.0}, store=ON_DISK)
        await decided(router, 10, model="large")
        await router.aclose()
        assert await asyncio.to_thread(run, ["rebuild", "--config", str(lab.folder / "router.toml"), "--check"]) == 0


class TestReports:
    async def test_inspect_holds_it_against_what_was_done(self, lab, models, capsys):
        router = await lab.router(models, budgets=PACE, shadow={"share": 1.0}, store=ON_DISK)
        found = await decided(router, 30, model="large")
        await router.aclose()
        config = str(lab.folder / "router.toml")
        capsys.readouterr()
        assert await asyncio.to_thread(run, ["inspect", "--config", config, "--json"]) == 0
        shadow = json.loads(capsys.readouterr().out)["shadow"]
        comparison = shadow["comparison"]
        expected = sum(each.shadow.propensities.get("large", 0.0) for each in found) / 30
        assert (shadow["share"], shadow["looked_at"], comparison["decisions"]) == (1.0, 30, 30)
        assert comparison["agreement"] == pytest.approx(expected)
        assert comparison["saved_usd"]["mean"] > 0
        assert (comparison["basis"], comparison["safe"], comparison["drawn"]) == ("forecasts", None, 0)
        assert await asyncio.to_thread(run, ["inspect", "--config", config]) == 0
        text = capsys.readouterr().out
        assert "Shadow, on 100% of the requests" in text
        assert "No verdict yet: 30 decisions, and 100 are needed" in text
        assert await asyncio.to_thread(run, ["inspect", "--config", config, "--decision", found[0].decision_id]) == 0
        assert "a shadow, would have called" in capsys.readouterr().out

    async def test_evaluate_says_whether_it_is_safe(self, lab, models, capsys):
        """Nobody has seen small answer, which the shadow would call: however many calls of large, that is not safe."""
        router = await lab.router(models, budgets=PACE, shadow={"share": 1.0}, store=ON_DISK)
        for _ in range(110):
            answer = await router.chat(PROMPT, model="large", task="qa")
            await router.feedback(answer.decision_id, quality=0.9)
        await router.aclose()
        config, log = str(lab.folder / "router.toml"), str(lab.folder / "log.jsonl")
        assert await asyncio.to_thread(run, ["export", "--config", config, "--out", log]) == 0
        capsys.readouterr()
        for source in (config, log):
            assert await asyncio.to_thread(run, ["evaluate", source, "--policy", "shadow", "--json"]) == 0
            (found,) = json.loads(capsys.readouterr().out)["shadows"]
            assert (found["name"], found["decisions"], found["safe"]) == ("shadow", 110, None)
            assert found["saved_usd"]["ci95"][0] > 0
            assert "Not shown to be safe" in found["verdict"]
            assert "not by outcomes of its own choices" in found["verdict"]

    async def test_the_log_carries_it(self, lab, models):
        router = await lab.router(models, shadow={"share": 1.0})
        answer = await router.chat(PROMPT, model="large")
        trail = await router.explain(answer.decision_id)
        row = log_row(trail)
        assert row["propensity"] is None
        assert row["shadow"]["policy"] == "shadow"
        assert row["shadow"]["propensities"] == trail.decision.shadow.propensities
        assert set(row["shadow"]["expected"]) == {"small", "large"}


class TestBadInput:
    @pytest.mark.parametrize(
        ("shadow", "says"),
        [
            ({"share": 1.5}, "expected at most 1, got 1.5"),
            ({"polcy": "x"}, "did you mean 'policy'?"),
            ({"name": "a/b"}, "is no name for a shadow"),
            ({"policy": "absent.toml"}, "cannot be read"),
            ({"policy": "rival.toml"}, "give both the same routing.features"),
        ],
    )
    async def test_is_one_line_that_says_where(self, lab, models, shadow, says):
        (lab.folder / "rival.toml").write_text(RIVAL + "[routing]\nfeatures = 3\n")
        with pytest.raises(ConfigError, match=r"router\.toml:\d+: shadow\.") as caught:
            lab.assembled(models, shadow=shadow)
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)

    async def test_a_file_without_a_common_model_is_refused(self, lab, models):
        (lab.folder / "rival.toml").write_text(RIVAL.replace('"small"', '"tiny"'))
        with pytest.raises(ConfigError, match="it may draw none of this file's models"):
            lab.assembled(models, shadow={"policy": "rival.toml"})

    async def test_a_file_that_shadows_itself_is_no_endless_loop(self, lab, models):
        lab.assembled(models, shadow={"policy": "router.toml"})
        config = load_config(lab.folder / "router.toml")
        assert config.shadow.rival.shadow.rival is None
