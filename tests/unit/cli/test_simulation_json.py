from collections.abc import Callable
from dataclasses import replace

import numpy as np
import orjson
import pytest

from banditroute.cli.simulation_json import simulation_json
from banditroute.simulation.results import Phase, SimulationResult, mean_ci95

BuildResult = Callable[..., SimulationResult]


def test_the_promised_keys_are_there_and_in_order(build_result: BuildResult) -> None:
    document = simulation_json(build_result(budgets_usd=[0.01]))
    assert list(document) == ["requests", "models", "fixed", "results", "decisions_per_s", "notes", "scenario"]
    [result] = document["results"]
    assert list(result) == [
        "policy",
        "budget_usd",
        "quality",
        "cost_usd",
        "utilisation",
        "share",
        "envelope_quality",
        "oracle_quality",
        "per_seed",
        "phases",
        "windows",
        "alarms",
        "slo",
    ]
    assert list(result["per_seed"][0]) == ["seed", "quality", "cost_usd"]
    assert list(result["phases"][0]) == [
        "from",
        "to",
        "quality",
        "cost_usd",
        "utilisation",
        "budget_usd",
        "share",
        "latency_s",
    ]


def test_figures_are_those_of_the_result(build_result: BuildResult) -> None:
    built = build_result(policies=["thompson", "random"], budgets_usd=[0.01, 0.02], seeds=[7, 8, 9])
    document = simulation_json(built)
    assert [(each["policy"], each["budget_usd"]) for each in document["results"]] == [
        ("thompson", 0.01),
        ("thompson", 0.02),
        ("random", 0.01),
        ("random", 0.02),
    ]
    first, source = document["results"][0], built.results[0]
    mean, low, high = mean_ci95(source.quality)
    assert first["quality"] == {"mean": mean, "ci95": [low, high]}
    assert first["share"] == pytest.approx({"small": 1 / 3, "large": 2 / 3})
    assert first["per_seed"][2] == {"seed": 9, "quality": pytest.approx(0.92), "cost_usd": pytest.approx(0.0102)}
    assert document["fixed"]["large"] == {"quality": pytest.approx(0.81), "cost_usd": 0.01, "rows": 100}


def test_utilisation_is_mean_dollars_over_the_budget_and_the_worst_seed(build_result: BuildResult) -> None:
    [result] = simulation_json(build_result(budgets_usd=[0.01]))["results"]
    assert result["utilisation"] == pytest.approx({"mean": 1.0, "max": 1.02})
    assert result["phases"][0]["utilisation"] == pytest.approx({"mean": 1.0, "max": 1.02})


def test_without_a_budget_there_is_no_utilisation(build_result: BuildResult) -> None:
    [result] = simulation_json(build_result())["results"]
    assert result["budget_usd"] is None
    assert result["utilisation"] is None
    assert result["phases"][0]["utilisation"] is None


def test_a_stretch_is_measured_by_the_budget_that_held_in_it(build_result: BuildResult) -> None:
    built = build_result(budgets_usd=[0.01], seeds=range(2))
    [result] = built.results
    quality, cost_usd = np.full(2, 0.9), np.array([0.01, 0.02])
    share, latency_s = np.array([0.25, 0.75]), np.array([1.0, 2.0])
    phases = (
        Phase(0, 60, quality, cost_usd, 0.01, share),
        Phase(60, 100, quality, cost_usd, 0.02, share, latency_s),
    )
    changed = replace(result, cost_usd=np.array([0.012, 0.016]), phases=phases)
    document = simulation_json(replace(built, results=(changed,), scenario="storm"))
    assert document["scenario"] == "storm"
    [shown] = document["results"]
    assert shown["utilisation"] == pytest.approx({"mean": 1.0, "max": 0.016 / 0.014})
    first, second = shown["phases"]
    assert (first["utilisation"], second["utilisation"]) == (
        pytest.approx({"mean": 1.5, "max": 2.0}),
        pytest.approx({"mean": 0.75, "max": 1.0}),
    )
    assert second["share"] == {"small": 0.25, "large": 0.75}
    assert first["latency_s"] is None
    assert second["latency_s"] is not None
    assert second["latency_s"]["mean"] == 1.5


def test_it_is_plain_json(build_result: BuildResult) -> None:
    document = simulation_json(build_result(budgets_usd=[0.01], notes=["a note"]))
    assert orjson.loads(orjson.dumps(document)) == document
