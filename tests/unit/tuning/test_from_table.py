"""Tuning on a table whose answer is known: money buys nothing but the share of requests that the better model gets."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from banditroute.errors import InputError
from banditroute.simulation.table import OutcomeTable
from banditroute.tuning.from_table import Replay, tune_table
from banditroute.tuning.questions import Questions
from banditroute.tuning.results import Recommendation, TargetBudget, Tuning

QUALITY = np.array([0.5, 0.9])
USD = np.array([0.001, 0.01])
ROWS = 160
HALF_WAY = 0.7
HALF_WAY_USD = float(USD.mean())
ASKED = Questions(target_quality=(HALF_WAY, 0.95), budget_usd=(0.004,), requests_per_day=1000.0)
SEEDS = range(4)


def table(name: str = "made-up") -> OutcomeTable:
    """Requests of two classes that are all alike but for the judge's mood."""
    quality = QUALITY + np.random.default_rng(7).normal(0.0, 0.02, (ROWS, 1))
    nothing = np.full((ROWS, 2), np.nan)
    return OutcomeTable(
        name=name,
        ids=tuple(f"r{i}" for i in range(ROWS)),
        models=("small", "large"),
        tasks=("code", "qa"),
        task_of=np.arange(ROWS) % 2,
        input_tokens=np.full(ROWS, 100.0),
        features=np.zeros((ROWS, 0)),
        at=np.full(ROWS, np.nan),
        prompts=(None,) * ROWS,
        quality=np.clip(quality, 0.0, 1.0),
        cost_usd=np.tile(USD, (ROWS, 1)),
        output_tokens=nothing,
        latency_s=nothing,
    )


@pytest.fixture(scope="module")
def tuned() -> Tuning:
    return tune_table(table(), ASKED, replay=Replay(seeds=SEEDS))


def target_of(answer: Recommendation) -> TargetBudget:
    assert answer.target is not None
    return answer.target


def test_the_budget_is_the_one_that_is_known(tuned: Tuning) -> None:
    answer, _ = tuned.recommendations
    target = target_of(answer)
    assert target.budget_usd == pytest.approx(HALF_WAY_USD, rel=0.1)
    assert answer.point.cost_usd == pytest.approx(HALF_WAY_USD, rel=0.03)
    assert target.budget_usd is not None
    assert target.confident_usd is not None
    assert target.ci90.low < target.budget_usd < target.confident_usd < target.ci90.high < 1.2 * target.budget_usd
    assert answer.point.quality == pytest.approx(HALF_WAY, abs=0.005)
    assert answer.point.share["large"] == pytest.approx(0.5, abs=0.05)
    assert answer.sentences[0].startswith("$0.00")


def test_the_shadow_price_is_what_the_better_model_gains_over_what_it_costs(tuned: Tuning) -> None:
    answer, _ = tuned.recommendations
    price = float(np.diff(QUALITY)[0] / np.diff(USD)[0])
    assert answer.point.quality_per_usd == pytest.approx(price, rel=0.3)


def test_a_budget_that_was_asked_about_is_replayed_itself(tuned: Tuning) -> None:
    _, answer = tuned.recommendations
    assert (answer.point.budget_usd, answer.target) == (0.004, None)
    assert answer.point.quality == pytest.approx(0.5 + 0.4 / 3, abs=0.03)
    assert "usd_per_request = 0.00400" in answer.config_lines
    assert answer.usd_per_month == pytest.approx(0.004 * 1000 * 30.44)


def test_a_quality_out_of_reach_is_said_to_be(tuned: Tuning) -> None:
    (unreached,) = [target for target in tuned.targets if target.budget_usd is None]
    assert unreached.sentence.startswith("No budget that was tried reaches a quality of 0.95 here")
    assert all(target.sentence == "" for target in tuned.targets if target is not unreached)


def test_the_frontier_rises_and_is_framed(tuned: Tuning) -> None:
    budgets = [point.budget_usd for point in tuned.frontier]
    qualities = [point.quality for point in tuned.frontier]
    assert budgets == sorted(budgets)
    assert qualities == sorted(qualities)
    assert budgets[0] == pytest.approx(USD[0])
    assert budgets[-1] == pytest.approx(USD[1])
    assert tuned.envelope is not None
    assert tuned.oracle is not None
    assert tuned.envelope.at(HALF_WAY_USD) == pytest.approx(HALF_WAY, abs=0.01)
    assert all(low <= q <= high for q, (low, high) in ((p.quality, p.quality_ci90) for p in tuned.frontier))


def test_the_split_over_classes_sums_to_all(tuned: Tuning) -> None:
    for answer in tuned.recommendations:
        assert [task.task for task in answer.tasks] == ["code", "qa"]
        assert sum(task.requests_share for task in answer.tasks) == pytest.approx(1.0)
        assert sum(task.dollars_share for task in answer.tasks) == pytest.approx(1.0)
        assert all(sum(task.share.values()) == pytest.approx(1.0) for task in answer.tasks)
        spent = sum(task.requests_share * task.usd_per_request for task in answer.tasks)
        assert spent == pytest.approx(answer.point.cost_usd)


def test_traffic_scales_the_bill_and_nothing_else(tuned: Tuning) -> None:
    half, all_of_it, twice = (np.array(each.usd_per_month) for each in tuned.traffic)
    assert [each.requests_per_day for each in tuned.traffic] == [500.0, 1000.0, 2000.0]
    np.testing.assert_allclose(2 * half, all_of_it)
    np.testing.assert_allclose(2 * all_of_it, twice)
    np.testing.assert_allclose(
        all_of_it, [min(point.cost_usd, point.budget_usd) * 1000 * 30.44 for point in tuned.frontier]
    )


class StopError(Exception):
    """Somebody ended the tuning."""


def ended_after(number: int, path: Path) -> int:
    """How many runs the file holds once somebody has ended the tuning at its next step."""
    calls = iter(range(1, number + 2))

    def progress(_done: int, _total: int) -> None:
        if next(calls) > number:
            raise StopError

    with pytest.raises(StopError):
        tune_table(table(), ASKED, replay=Replay(seeds=SEEDS, keep=path, progress=progress))
    return len(path.read_bytes().splitlines()) - 1


def test_gone_on_from_what_was_kept_it_finds_the_same(tuned: Tuning, tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    kept = ended_after(2, path)
    assert 0 < kept < len(tuned.frontier)
    steps: list[tuple[int, int]] = []
    resumed = Replay(seeds=SEEDS, keep=path, progress=lambda done, total: steps.append((done, total)))
    found = tune_table(table(), ASKED, replay=resumed)
    assert found.frontier == tuned.frontier
    assert found.recommendations == tuned.recommendations
    assert steps[0][0] >= kept > 0
    assert steps[-1][0] == len(tuned.frontier) <= steps[-1][1]
    assert len(path.read_bytes().splitlines()) == 1 + len(tuned.frontier)


def test_all_kept_nothing_is_replayed_but_what_says_the_classes(tuned: Tuning, tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    tune_table(table(), ASKED, replay=Replay(seeds=SEEDS, keep=path))
    before = path.read_bytes()
    again = tune_table(table(), ASKED, replay=Replay(seeds=SEEDS, keep=path))
    assert again.recommendations == tuned.recommendations
    assert path.read_bytes() == before


@pytest.mark.parametrize("changed", [Replay(seeds=range(1, 5)), Replay(seeds=SEEDS, features="none")])
def test_runs_of_other_settings_are_not_gone_on_from(tmp_path: Path, changed: Replay) -> None:
    path = tmp_path / "runs.jsonl"
    ended_after(2, path)
    other = Replay(seeds=changed.seeds, features=changed.features, keep=path)
    with pytest.raises(InputError, match="holds another tuning"):
        tune_table(table(), ASKED, replay=other)


def test_a_warm_up_is_named_and_makes_another_tuning(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    few = Questions(budget_usd=(0.004,))
    replay = Replay(seeds=range(2), keep=path)
    found = tune_table(table(), few, warmup=table("before"), replay=replay)
    assert (found.warmup, found.seeds, found.kind) == ("before", 2, "table")
    assert math.isclose(found.recommendations[0].point.budget_usd, 0.004)
    with pytest.raises(InputError, match="holds another tuning"):
        tune_table(table(), few, replay=replay)
