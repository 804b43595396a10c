"""Running a simulation for somebody who waits for it, and showing what it found."""

import sys
from collections.abc import Sequence
from pathlib import Path

import orjson

from banditroute.cli.arguments import Settings, check_fixed_models
from banditroute.cli.chart_files import write_export
from banditroute.cli.progress import progress_bar
from banditroute.cli.simulation_json import simulation_json
from banditroute.cli.tables import plain_console, print_simulation
from banditroute.reports import headline, simulation_report, write_simulation_report
from banditroute.simulation.loading import load_table
from banditroute.simulation.results import SimulationResult
from banditroute.simulation.run import simulate
from banditroute.simulation.scenario import Scenario
from banditroute.simulation.scenario_checks import check_scenario
from banditroute.simulation.scenario_file import load_scenario

_JSON = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


def replay(table: Path, warmup: Path | None, settings: Settings) -> SimulationResult:
    """What the simulation found; a progress bar shows on a terminal meanwhile."""
    scenario = None if settings.scenario is None else load_scenario(settings.scenario)
    scored = load_table(table)
    if scenario is not None:
        check_scenario(scenario, scored)
    check_fixed_models(settings.policies, (*scored.models, *_newcomers(scenario)))
    first = None if warmup is None else load_table(warmup)
    with progress_bar("simulating") as progress:
        return simulate(
            scored,
            warmup=first,
            policies=settings.policies,
            budgets_usd=settings.budgets_usd,
            seeds=settings.seeds,
            features=settings.features.value,
            classes=settings.classes.value,
            scenario=scenario,
            executor=settings.executor,
            progress=progress,
        )


def _newcomers(scenario: Scenario | None) -> tuple[str, ...]:
    return () if scenario is None else tuple(add.model for add in scenario.newcomers())


def show(
    result: SimulationResult,
    *,
    json: bool,
    report: Path | None,
    export: Path | None = None,
    closing: Sequence[str] = (),
) -> None:
    """Writes report and charts, if wanted; prints JSON alone, or tables, their paths and the sentences to remember."""
    if report is not None:
        write_simulation_report(result, report)
    if json:
        sys.stdout.write(orjson.dumps(simulation_json(result), option=_JSON).decode())
    else:
        _print(result, report, closing)
    if export is not None:
        write_export(simulation_report(result), export, quiet=json)


def _print(result: SimulationResult, report: Path | None, closing: Sequence[str]) -> None:
    console = plain_console()
    print_simulation(result, console)
    console.print()
    if report is not None:
        console.print(f"report: {report}", soft_wrap=True)
    for sentence in (headline(result), *closing):
        console.print(sentence)
