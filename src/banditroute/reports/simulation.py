"""A simulation's result as a report, a page and files."""

from pathlib import Path

from banditroute.reports.export import save_parts
from banditroute.reports.format import plural, seeds, source_name
from banditroute.reports.headlines import headline
from banditroute.reports.page import write_report
from banditroute.reports.parts import Report, Section
from banditroute.reports.sections.simulation.edges import edges_section
from banditroute.reports.sections.simulation.outcomes import outcomes_section, phases_section
from banditroute.reports.sections.simulation.over_time import shares_section, spend_section
from banditroute.reports.sections.simulation.overview import overview_section
from banditroute.reports.sections.simulation.reading import reading_section
from banditroute.simulation.results import SimulationResult


def write_simulation_report(result: SimulationResult, path: Path | str) -> None:
    """Writes the result as one self-contained HTML page, whole or not at all.

    Raises:
        InputError: the file cannot be written there.
        MissingExtraError: jinja2 or matplotlib is not installed.
    """
    write_report(simulation_report(result), path)


def save_figures(result: SimulationResult, directory: Path | str) -> tuple[Path, ...]:
    """The files written: every chart of the report as SVG, PNG and CSV, every table as CSV.

    Raises:
        InputError: the directory cannot be made or written to.
        MissingExtraError: matplotlib is not installed.
    """
    return save_parts(simulation_report(result), directory)


def simulation_report(result: SimulationResult) -> Report:
    """The result as parts of a report; nothing is drawn yet."""
    return Report(f"Simulation on {source_name(result.table)}", _subtitle(result), headline(result), _sections(result))


def _sections(result: SimulationResult) -> tuple[Section, ...]:
    if not result.results:
        return (reading_section(result),)
    found = (
        overview_section(result),
        outcomes_section(result),
        phases_section(result),
        spend_section(result),
        shares_section(result),
        edges_section(result),
        reading_section(result),
    )
    return tuple(section for section in found if section is not None)


def _subtitle(result: SimulationResult) -> str:
    orders = result.results[0].seeds if result.results else ()
    scored = plural(result.requests, "request")
    streams = f" in {len(orders)} random orders (seeds {seeds(orders)})" if len(orders) > 1 else ""
    warmup = f", after a warm-up on {source_name(result.warmup)}" if result.warmup else ""
    return f"{scored}{streams}, {plural(len(result.models), 'model')}{warmup}."
