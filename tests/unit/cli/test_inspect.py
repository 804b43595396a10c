"""inspect, on stores that were written by hand: what is said of fallbacks, of old evidence, of odd texts."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from banditroute.cli.app import run
from banditroute.cli.inspection import span
from banditroute.records import Alarm, Feedback
from banditroute.routing.lessons import lesson_of
from banditroute.storage.protocol import Dispatch, Settlement
from banditroute.storage.sqlite import SQLiteStore
from banditroute.testing.store_records import NOON, a_dispatch, a_settlement

CONFIG = """
[[providers]]
name = "far"
kind = "openai"
base_url = "https://far.example/v1"
api_key_env = "NOT_SET_HERE"

[[models]]
name = "small"
provider = "far"
input_usd_per_mtok = 0.15
output_usd_per_mtok = 0.60

[[models]]
name = "large"
provider = "far"
input_usd_per_mtok = 2.50
output_usd_per_mtok = 10.00

[[budgets]]
name = "paced"
usd_per_request = 0.001

[[budgets]]
name = "daily"
usd = 20.0
per = "day"

[routing]
features = 3

[store]
path = "store.db"
retention_days = 30
"""


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody says how wide the output is to be."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "router.toml"
    path.write_text(CONFIG)
    return path


def write(config: Path, *rows: tuple[Dispatch, Settlement | None], judged: Sequence[Feedback] = ()) -> None:
    async def writing() -> None:
        store = SQLiteStore(config.with_name("store.db"))
        await store.open()
        for dispatch, settlement in rows:
            store.begin(dispatch)
            if settlement is not None:
                assert await store.settle(settlement)
        for feedback in judged:
            trail = await store.trail(feedback.decision_id)
            assert trail.outcome is not None
            assert await store.judge(feedback, lesson_of(trail.decision, trail.outcome, feedback))
        await store.aclose()

    asyncio.run(writing())


def adjust(config: Path, alarms: Sequence[Alarm]) -> None:
    async def adjusting() -> None:
        store = SQLiteStore(config.with_name("store.db"))
        await store.open()
        await store.adjust(alarms, {})
        await store.aclose()

    asyncio.run(adjusting())


def no_nan(constant: str) -> NoReturn:
    raise AssertionError(f"{constant} is not JSON")


def inspect(config: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["inspect", "--config", str(config), *arguments]) == 0
    return capsys.readouterr().out


def inspect_json(config: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(inspect(config, capsys, "--json", *arguments), parse_constant=no_nan)


def test_the_keys_are_those_of_the_documentation(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begun = a_dispatch(2, version="caller-3")
    write(config, (begun, a_settlement(begun)))
    found = inspect_json(config, capsys)
    page = (Path(__file__).parents[3] / "docs" / "inspecting.md").read_text(encoding="utf-8")
    keys = {
        *found,
        *found["prompt"],
        *(key for part in ("edges", "paces", "caps", "decisions") for key in found[part][0]),
    }
    assert {key for key in keys if f"`{key}`" not in page} == set()


def test_alarms_are_shown_newest_first_in_the_units_of_their_signals(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = a_dispatch(2, version="caller-3")
    write(config, (begun, a_settlement(begun)))
    now = time.time()
    alarms = [
        Alarm(now - 7_300.0, "large", "quality", "qa", 0.93, 0.71, 22, 0.999_999_9),
        Alarm(now - 3_700.0, "small", "latency_s", "", 1.25, 4.0, 17, 0.999),
        Alarm(now - 100.0, "small", "price", "", 1.0, 10.0, 2, 0.999_999),
    ]
    adjust(config, alarms)
    text = " ".join(inspect(config, capsys).split())
    assert "Models that were found to have changed" in text
    assert "1 min small price, to the catalog's 1x 10x 2 >99.999%" in text
    assert "1 h small time to the answer 1.25 s 4.00 s 17 99.900%" in text
    assert "2 h large quality, qa .930 .710 22 >99.999%" in text
    assert text.index("price, to") < text.index("quality, qa")
    assert all(len(line) <= 80 for line in inspect(config, capsys).splitlines())
    found = inspect_json(config, capsys)["alarms"]
    assert [each["signal"] for each in found] == ["price", "latency_s", "quality"]
    assert found[2] == asdict(alarms[0])
    assert found[0]["task"] is None


def test_one_class_has_its_own_alarms_and_those_of_whole_models(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = a_dispatch(2, version="caller-3")
    write(config, (begun, a_settlement(begun)))
    adjust(config, [Alarm(NOON, "large", "quality", task, 0.9, 0.7, 22, 0.999_999) for task in ("qa", "code", "")])
    found = inspect_json(config, capsys, "--task", "qa")["alarms"]
    assert [each["task"] for each in found] == [None, "qa"]


def test_a_fallback_names_both_models_and_counts_what_failed(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(config, (a_dispatch(1), a_settlement(a_dispatch(1))), (a_dispatch(2), a_settlement(a_dispatch(2), ok=False)))
    nobody, other = inspect_json(config, capsys)["decisions"]
    assert (other["chosen"], other["served"], other["failed_attempts"]) == ("large", "small", 1)
    assert (nobody["served"], nobody["settled"], nobody["failed_attempts"]) == (None, True, 1)
    text = inspect(config, capsys)
    assert "large > small (1 failed)" in text
    assert "small > nobody (1 failed)" in text


def test_the_whole_why_has_every_call_and_every_reason(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(config, (a_dispatch(1), a_settlement(a_dispatch(1))))
    text = inspect(config, capsys, "--decision", "decision-000001")
    for words in (
        "drawn with probability 0.2500",
        "huge was not eligible: does not take tools",
        "shadow price of paced: 0.02",
        "called large: TimedOutError: timed out after 2.5 s (first_token); 2.5 s, $0.0010",
        "called small (probe): answered",
        "first content after 0.2 s",
        "for acme",
    ):
        assert words in text


def test_evidence_of_other_features_is_left_out_and_said(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine, other = a_dispatch(2, version="caller-3"), a_dispatch(4, version="v1")
    judged = [Feedback(each.decision.decision_id, 0.9, "user", NOON) for each in (mine, other)]
    write(config, (mine, a_settlement(mine)), (other, a_settlement(other)), judged=judged)
    found = inspect_json(config, capsys)
    assert sum(edge["judged"] for edge in found["edges"]) == 1
    assert found["judged_elsewhere"] == 1
    assert "does not have, left out: 1" in inspect(config, capsys)


def test_judgements_that_count_in_part_are_not_lost_elsewhere(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [a_dispatch(number, version="caller-3") for number in range(1, 9)]
    judged = [Feedback(each.decision.decision_id, 0.9, "judge", NOON, 0.15) for each in rows]
    write(config, *((each, a_settlement(each)) for each in rows), judged=judged)
    assert inspect_json(config, capsys)["judged_elsewhere"] == 0
    assert "left out" not in inspect(config, capsys)


def test_the_prompt_is_like_the_newest(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [a_dispatch(number, version="caller-3") for number in range(1, 6)]
    write(config, *((each, a_settlement(each)) for each in rows))
    prompt = inspect_json(config, capsys)["prompt"]
    assert prompt["input_tokens"] == 103
    means = [sum(values) / 5 for values in zip(*(each.decision.context.features for each in rows), strict=True)]
    assert prompt["features"] == pytest.approx(means)


def test_a_store_without_a_decision_says_so(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(config)
    assert inspect_json(config, capsys)["edges"] == []
    text = inspect(config, capsys)
    assert text.startswith("nothing is learned yet\n")
    assert "0 decisions are still open" in text


def test_a_bucket_and_a_spend_are_shown(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(config, (a_dispatch(2), a_settlement(a_dispatch(2))))
    (pace,) = inspect_json(config, capsys)["paces"]
    assert (pace["running_spend"], pace["bucket_level_requests"], pace["bucket_requests"]) == (1.0, 60.0, 120.0)
    assert "100%" in inspect(config, capsys)
    assert "50%" in inspect(config, capsys)


def test_texts_of_others_move_no_cursor(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begun = a_dispatch(1, task="\x1b[2Jqa")
    settled = a_settlement(begun)
    first = replace(settled.outcome.attempts[0], problem="\x1b]0;owned\x07")
    settled = replace(settled, outcome=replace(settled.outcome, attempts=(first,)))
    write(config, (begun, settled), judged=[Feedback("decision-000001", 0.5, "\x1b[31mme", NOON)])
    for arguments in ((), ("--decision", "decision-000001")):
        text = inspect(config, capsys, *arguments)
        assert "\x1b" not in text
        assert "?[2Jqa" in text


def test_what_is_no_number_is_null(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begun = a_dispatch(1)
    odd = {name: replace(each, latency_s=float("nan")) for name, each in begun.decision.forecasts.items()}
    write(config, (replace(begun, decision=replace(begun.decision, forecasts=odd)), None))
    found = inspect_json(config, capsys, "--decision", "decision-000001")
    assert found["decision"]["forecasts"]["small"]["latency_s"] is None
    assert found["outcome"] is None
    assert "no outcome yet" in inspect(config, capsys, "--decision", "decision-000001")


def test_in_a_pipe_no_line_is_folded(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    long = "a-class-with-a-name-" * 8
    write(config, (a_dispatch(1, task=long), a_settlement(a_dispatch(1, task=long))))
    assert any(long in line and "decision-000001" in line for line in inspect(config, capsys).splitlines())


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5.0, "0 s"), (0.0, "0 s"), (59.9, "59 s"), (60.0, "1 min"), (7_199.0, "1 h"), (86_400.0 * 12.5, "12 d")],
)
def test_spans_are_rounded_down(seconds: float, text: str) -> None:
    assert span(seconds) == text
