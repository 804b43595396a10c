"""What policies would have got on a log, as a report, a page and files."""

from pathlib import Path

from banditroute.evaluation.results import Evaluation, Target
from banditroute.reports import format as write
from banditroute.reports.export import save_parts
from banditroute.reports.page import write_report
from banditroute.reports.parts import Report, Section
from banditroute.reports.sections.evaluation.carrying import carrying_section
from banditroute.reports.sections.evaluation.estimates import estimates_section
from banditroute.reports.sections.evaluation.logged import logged_section, set_aside_section
from banditroute.reports.sections.evaluation.reading import reading_section
from banditroute.reports.sections.evaluation.verdicts import verdicts_section


def write_evaluation_report(result: Evaluation, path: Path | str) -> None:
    """Writes the evaluation as one self-contained HTML page, whole or not at all.

    Raises:
        InputError: the file cannot be written there.
        MissingExtraError: jinja2 or matplotlib is not installed.
    """
    write_report(evaluation_report(result), path)


def save_evaluation_figures(result: Evaluation, directory: Path | str) -> tuple[Path, ...]:
    """The files written: every chart of the report as SVG, PNG and CSV, every table as CSV.

    Raises:
        InputError: the directory cannot be made or written to.
        MissingExtraError: matplotlib is not installed.
    """
    return save_parts(evaluation_report(result), directory)


def evaluation_report(result: Evaluation) -> Report:
    """The evaluation as parts of a report; nothing is drawn yet."""
    return Report(f"Evaluation on {result.log}", _subtitle(result), _summary(result.targets), _sections(result))


def _sections(result: Evaluation) -> tuple[Section, ...]:
    found = (
        verdicts_section(result),
        estimates_section(result),
        carrying_section(result),
        logged_section(result),
        set_aside_section(result),
        reading_section(result),
    )
    return tuple(section for section in found if section is not None)


def _subtitle(result: Evaluation) -> str:
    targets = write.listing(target.policy for target in result.targets)
    rest = f"; {write.count(result.used)} of them count as evidence" if result.used != result.rows else ""
    asked = f"; asked about {targets}" if targets else ""
    rows = f"{write.plural(result.rows, 'decision')} on record among {write.plural(len(result.models), 'model')}"
    return f"{rows}{rest}{asked}."


def _summary(targets: tuple[Target, ...]) -> str:
    """The one verdict; of several, how many there are, and the first that the log carries."""
    if not targets:
        return "No policy was evaluated."
    if len(targets) == 1:
        return targets[0].verdict
    carried = [target for target in targets if target.carries]
    if not carried:
        return f"The log carries a verdict on none of the {len(targets)} policies asked about."
    return f"The log carries a verdict on {len(carried)} of {len(targets)} policies. {carried[0].verdict}"
