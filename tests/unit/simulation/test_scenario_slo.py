"""[slo] of a scenario: a promise that the live router keeps in simulated time."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console

from banditroute.cli.simulation_json import simulation_json
from banditroute.cli.tables import print_simulation
from banditroute.simulation.run import simulate
from banditroute.simulation.scenario_file import load_scenario
from banditroute.simulation.table import OutcomeTable

BuildTable = Callable[..., OutcomeTable]


def slow_and_good(build_table: BuildTable, rows: int = 900) -> OutcomeTable:
    """A quick model, and a better one that takes longer than 5 s in three of ten calls."""
    rng = np.random.default_rng(0)
    seconds = np.stack([np.full(rows, 1.0), 4.0 * np.exp(rng.normal(0.0, 0.42, rows))], axis=1)
    quality = np.stack([np.full(rows, 0.7), np.full(rows, 0.9)], axis=1) + rng.normal(0.0, 0.05, (rows, 2))
    table = build_table(np.clip(quality, 0.0, 1.0), np.full((rows, 2), 1e-4), models=("quick", "good"))
    return replace(table, latency_s=seconds)


def test_few_answers_are_late_and_the_price_is_told(tmp_path: Path, build_table: BuildTable) -> None:
    file = tmp_path / "busy.toml"
    file.write_text("[traffic]\narrivals = 0.5\n[slo]\nlatency_s = 5.0\nepsilon = 0.1\n")
    result = simulate(slow_and_good(build_table), scenario=load_scenario(file), seeds=range(3))
    (thompson,) = simulation_json(result)["results"]
    kept = thompson["slo"]
    assert kept is not None
    assert (kept["latency_s"], kept["epsilon"]) == (5.0, 0.1)
    assert kept["late"]["max"] <= 0.12
    assert 0.03 < kept["quality_given_up"] < 0.2
    console = Console(width=100, record=True, file=io.StringIO())
    print_simulation(result, console)
    (line,) = (each for each in console.export_text().splitlines() if "5 s" in each)
    assert f"{kept['late']['mean']:.1%}" in line


def test_without_a_promise_nothing_is_told(tmp_path: Path, build_table: BuildTable) -> None:
    file = tmp_path / "calm.toml"
    file.write_text("[traffic]\narrivals = 0.5\n")
    result = simulate(slow_and_good(build_table, 60), scenario=load_scenario(file), seeds=[0])
    assert simulation_json(result)["results"][0]["slo"] is None
