"""evaluate on what a real router left: its log, exported, and its store, beside the router, say the same."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from banditroute import open_router
from banditroute.cli.app import run
from banditroute.testing.faulty_server import FaultyServer

REQUESTS = 300
QUALITY = {"small": 0.4, "large": 0.9}

CONFIG = """
[[providers]]
name = "loopback"
kind = "openai"
base_url = "{url}"

[[models]]
name = "small"
provider = "loopback"
input_usd_per_mtok = 0.15
output_usd_per_mtok = 0.60
max_output_tokens = 1000

[[models]]
name = "large"
provider = "loopback"
input_usd_per_mtok = 2.50
output_usd_per_mtok = 10.00
max_output_tokens = 1000

[routing]
seed = 11
explore = {{ decisions = 0.4, quality = 1.0 }}
"""
SERVED = """
[shadow]
share = 0.6

[store]
path = "store.db"
"""
THRIFTY = """
[[budgets]]
usd_per_request = 0.00003

[[budgets]]
name = "day"
usd = 100.0
per = "day"
"""


class Routed(NamedTuple):
    """What is left of the traffic."""

    config: Path
    log: Path
    thrifty: Path


async def serve(config: Path, thrifty: Path) -> None:
    """Answers and judges requests, most of them left to chance."""
    chance = random.Random(1)
    async with FaultyServer() as server:
        text = CONFIG.format(url=server.base_url)
        config.write_text(text + SERVED)
        thrifty.write_text(text + THRIFTY)
        async with open_router(config) as router:
            for number in range(REQUESTS):
                pinned = "small" if number % 50 == 7 else None
                answer = await router.chat("How much is it?", task=("qa", "code")[number % 2], model=pinned)
                if number % 10:
                    quality = float(chance.random() < QUALITY[answer.model])
                    await router.feedback(answer.decision_id, quality=quality)
            router.decide("To be called by somebody else", task="qa")


@pytest.fixture(scope="module")
def routed(tmp_path_factory: pytest.TempPathFactory) -> Routed:
    folder = tmp_path_factory.mktemp("routed")
    found = Routed(folder / "router.toml", folder / "log.jsonl.gz", folder / "thrifty.toml")
    asyncio.run(serve(found.config, found.thrifty))
    assert run(["export", "--config", str(found.config), "--out", str(found.log)]) == 0
    return found


def evaluated(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    capsys.readouterr()
    assert run(["evaluate", *map(str, arguments), "--json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def test_the_store_and_its_export_say_the_same(routed: Routed, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["fixed:large", "uniform", "shadow", str(routed.config), str(routed.thrifty)]
    options = [part for name in names for part in ("--policy", name)] + ["--estimator", "ips", "--estimator", "dr"]
    exported, stored = (evaluated(capsys, log, *options) for log in (routed.log, routed.config))
    assert (exported.pop("log"), stored.pop("log")) == ("log", "store")
    assert exported == stored
    assert [each["policy"] for each in exported["policies"]] == ["fixed:large", "uniform", "shadow:shadow", *names[3:]]
    assert len(exported["estimates"]) == 5 * 2


def test_the_numbers_are_those_of_the_traffic(routed: Routed, capsys: pytest.CaptureFixture[str]) -> None:
    found = evaluated(capsys, routed.config, "--policy", "fixed:large", "--policy", "fixed:small", "--estimator", "dr")
    assert (found["rows"], found["used"]) == (REQUESTS, REQUESTS - REQUESTS // 50)
    assert found["set_aside"] == [
        {"reason": "decided without chance: no propensity", "rows": REQUESTS // 50, "first_line": None}
    ]
    (logged,) = found["logged"]
    assert (logged["rows"], logged["judged"]) == (REQUESTS, REQUESTS - REQUESTS // 10)
    by_policy = {each["policy"]: each for each in found["policies"]}
    assert found["ess"] == by_policy["fixed:large"]["ess"] > 100
    assert by_policy["fixed:large"]["carries"]
    assert by_policy["fixed:large"]["verdict"] == found["verdict"]
    for model in ("small", "large"):
        (dr,) = (each for each in found["estimates"] if (each["policy"], each["estimator"]) == (f"fixed:{model}", "dr"))
        low, high = dr["quality"]["ci95"]
        assert low <= QUALITY[model] <= high
        assert dr["cost_usd"]["mean"] > 0
    assert any("Quality is known of" in note for note in found["notes"])


def test_the_router_replayed_on_its_own_traffic_gets_what_it_got(
    routed: Routed, capsys: pytest.CaptureFixture[str]
) -> None:
    found = evaluated(capsys, routed.config, "--policy", str(routed.config), "--estimator", "snips")
    (estimate,), (policy,) = found["estimates"], found["policies"]
    # Judgements came at once here, so it knows at each decision what the live one knew, but for what fallbacks hide.
    assert policy["ess"] > 0.9 * found["used"]
    assert abs(estimate["quality"]["gain"]["mean"]) < 0.05


def test_a_budget_makes_the_replayed_router_cheaper(routed: Routed, capsys: pytest.CaptureFixture[str]) -> None:
    found = evaluated(capsys, routed.log, "--policy", str(routed.thrifty), "--estimator", "dr")
    (estimate,) = found["estimates"]
    assert estimate["cost_usd"]["gain"]["ci95"][1] < 0
    assert any("its caps are left out" in note for note in found["notes"])


def test_a_shadow_is_judged_on_what_it_decided_on(routed: Routed, capsys: pytest.CaptureFixture[str]) -> None:
    found = evaluated(capsys, routed.log, "--policy", "shadow", "--policy", "uniform", "--estimator", "ips")
    (shadow,) = found["shadows"]
    assert (shadow["name"], shadow["basis"]) == ("shadow", "weights")
    assert shadow["verdict"]
    assert 0.4 * REQUESTS < shadow["decisions"] < 0.8 * REQUESTS
    ips = {each["policy"]: each for each in found["estimates"]}
    assert ips["shadow:shadow"]["cost_usd"]["rows"] == shadow["drawn"] < ips["uniform"]["cost_usd"]["rows"]
    assert any(note.startswith(f"shadow:shadow decided on {shadow['drawn']}") for note in found["notes"])


def test_in_words_it_fits_eighty_columns_and_begins_with_verdicts(
    routed: Routed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    capsys.readouterr()
    assert run(["evaluate", str(routed.log)]) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    places = [text.index(word) for word in ("would have got", "What was logged", "every look", "Overlap", "Set aside")]
    assert places == sorted(places)
    for word in ("fixed:large", "fixed:small", "uniform", "shadow:shadow", "switch-dr", "note:", "left to chance"):
        assert word in text


def test_a_report_is_written_beside_the_figures(
    routed: Routed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    evaluated(capsys, routed.log, "--policy", "uniform", "--estimator", "dr", "--report", page)
    assert "uniform" in page.read_text(encoding="utf-8")
