"""What budgets buy, and which one to set, as a report, a page and files."""

from pathlib import Path

from banditroute.reports import format as write
from banditroute.reports.export import save_parts
from banditroute.reports.page import write_report
from banditroute.reports.parts import Report, Section
from banditroute.reports.sections.tuning.answers import answer_sections
from banditroute.reports.sections.tuning.frontier import frontier_section
from banditroute.reports.sections.tuning.reading import reading_section
from banditroute.reports.sections.tuning.traffic import traffic_section
from banditroute.tuning.results import Tuning


def write_tuning_report(result: Tuning, path: Path | str) -> None:
    """Writes what tuning found as one self-contained HTML page, whole or not at all.

    Raises:
        InputError: the file cannot be written there.
        MissingExtraError: jinja2 or matplotlib is not installed.
    """
    write_report(tuning_report(result), path)


def save_tuning_figures(result: Tuning, directory: Path | str) -> tuple[Path, ...]:
    """The files written: every chart of the report as SVG, PNG and CSV, every table as CSV.

    Raises:
        InputError: the directory cannot be made or written to.
        MissingExtraError: matplotlib is not installed.
    """
    return save_parts(tuning_report(result), directory)


def tuning_report(result: Tuning) -> Report:
    """The result as parts of a report; nothing is drawn yet."""
    return Report(
        f"Budgets on {write.source_name(result.source)}", _subtitle(result), _summary(result), _sections(result)
    )


def _sections(result: Tuning) -> tuple[Section, ...]:
    found = (
        *answer_sections(result),
        frontier_section(result),
        traffic_section(result),
        reading_section(result),
    )
    return tuple(section for section in found if section is not None)


def _subtitle(result: Tuning) -> str:
    requests = f"{write.plural(result.requests, 'request')} among {write.plural(len(result.models), 'model')}"
    orders = f" in {write.plural(result.seeds, 'random order')}" if result.kind == "table" else ""
    warmup = f", after a warm-up on {write.source_name(result.warmup)}" if result.warmup else ""
    return f"{requests}{orders}{warmup}; {write.plural(len(result.frontier), 'budget')} tried."


def _summary(result: Tuning) -> str:
    """What no budget reaches, else what is said first of the first question; without one, what budgets buy."""
    unreached = [target.sentence for target in result.targets if target.sentence]
    if unreached:
        return " ".join(unreached)
    spoken = [recommendation.sentences[0] for recommendation in result.recommendations if recommendation.sentences]
    if spoken:
        return spoken[0]
    if not result.frontier:
        return "No budget was tried."
    cheap, dear = result.frontier[0], result.frontier[-1]
    return (
        f"Budgets from {write.money(cheap.budget_usd)} to {write.money(dear.budget_usd)} per request buy qualities "
        f"from {write.quality(cheap.quality)} to {write.quality(dear.quality)}."
    )
