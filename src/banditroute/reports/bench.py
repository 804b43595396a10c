"""A benchmark of the user's own models as a report, a page and files."""

from pathlib import Path

from banditroute.benching.results import BenchResult
from banditroute.reports import format as write
from banditroute.reports.export import save_parts
from banditroute.reports.page import write_report
from banditroute.reports.parts import Report, Section
from banditroute.reports.sections.bench.differences import differences_section
from banditroute.reports.sections.bench.failures import failures_section
from banditroute.reports.sections.bench.latency import latency_section
from banditroute.reports.sections.bench.overview import overview_section
from banditroute.reports.sections.bench.reading import reading_section
from banditroute.reports.sections.bench.standing import bench_headline
from banditroute.reports.sections.bench.tables import tasks_section


def write_bench_report(result: BenchResult, path: Path | str) -> None:
    """Writes the benchmark as one self-contained HTML page, whole or not at all.

    Raises:
        InputError: the file cannot be written there.
        MissingExtraError: jinja2 or matplotlib is not installed.
    """
    write_report(bench_report(result), path)


def save_bench_figures(result: BenchResult, directory: Path | str) -> tuple[Path, ...]:
    """The files written: every chart of the report as SVG, PNG and CSV, every table as CSV.

    Raises:
        InputError: the directory cannot be made or written to.
        MissingExtraError: matplotlib is not installed.
    """
    return save_parts(bench_report(result), directory)


def bench_report(result: BenchResult) -> Report:
    """The benchmark as parts of a report; nothing is drawn yet."""
    return Report(f"Benchmark on {result.name}", _subtitle(result), bench_headline(result), _sections(result))


def _sections(result: BenchResult) -> tuple[Section, ...]:
    found = (
        overview_section(result),
        differences_section(result),
        tasks_section(result),
        latency_section(result),
        failures_section(result),
        reading_section(result),
    )
    return tuple(section for section in found if section is not None)


def _subtitle(result: BenchResult) -> str:
    repeats = f", {result.repeats} times each" if result.repeats > 1 else ""
    asked = f"{write.plural(result.prompts, 'prompt')} to {write.plural(len(result.models), 'model')}{repeats}"
    return f"{asked}; {write.count(result.done)} of {write.plural(result.planned, 'call')} finished."
