"""What a router has done, learned and spent, as a report, a page and files."""

import math
from pathlib import Path

from banditroute.reports import format as write
from banditroute.reports.export import save_parts
from banditroute.reports.page import write_report
from banditroute.reports.parts import Report, Section
from banditroute.reports.sections.live.alarms import alarms_section
from banditroute.reports.sections.live.beliefs import beliefs_section
from banditroute.reports.sections.live.budgets import budgets_section
from banditroute.reports.sections.live.judgements import judgements_section
from banditroute.reports.sections.live.over_time import quality_section, serving_section, spend_section
from banditroute.reports.sections.live.overview import overview_section
from banditroute.reports.sections.live.reading import reading_section
from banditroute.reports.sections.live.timeline import timeline_section
from banditroute.reports.store.live import LiveStore


def write_live_report(live: LiveStore, path: Path | str) -> None:
    """Writes what is in a store as one self-contained HTML page, whole or not at all.

    Raises:
        InputError: the file cannot be written there.
        MissingExtraError: jinja2 or matplotlib is not installed.
    """
    write_report(live_report(live), path)


def save_live_figures(live: LiveStore, directory: Path | str) -> tuple[Path, ...]:
    """The files written: every chart of the report as SVG, PNG and CSV, every table as CSV.

    Raises:
        InputError: the directory cannot be made or written to.
        MissingExtraError: matplotlib is not installed.
    """
    return save_parts(live_report(live), directory)


def live_report(live: LiveStore) -> Report:
    """What is in a store as parts of a report; nothing is drawn yet."""
    return Report(f"Live store {live.name}", _subtitle(live), _summary(live), _sections(live))


def _sections(live: LiveStore) -> tuple[Section, ...]:
    found = (
        overview_section(live),
        budgets_section(live),
        spend_section(live),
        serving_section(live),
        quality_section(live),
        alarms_section(live),
        timeline_section(live),
        beliefs_section(live),
        judgements_section(live),
        reading_section(live),
    )
    return tuple(section for section in found if section is not None)


def _subtitle(live: LiveStore) -> str:
    history = live.history
    if not history.requests.size:
        return f"As of {write.date(live.at)} UTC."
    return f"On record from {write.date(history.start_at)} to {write.date(live.at)} UTC, in bins of {_bin(live)}."


def _bin(live: LiveStore) -> str:
    return write.stretch(live.history.bin_s)


def _summary(live: LiveStore) -> str:
    """How many requests were answered, for how much, how well."""
    history = live.history
    answered, failed = int(history.answered.sum()), int(history.failed.sum())
    if not answered:
        return "No request has been answered yet."
    spent = write.money(float(history.spent_usd.sum()))
    return (
        f"{write.plural(answered - failed, 'request')} answered for {spent}, "
        f"{write.money(history.usd_per_request)} each, {_quality(live)}{_failures(failed)}."
    )


def _quality(live: LiveStore) -> str:
    mean, judged = live.history.mean_quality, int(live.history.judged.sum())
    if math.isnan(mean):
        return "none of them judged"
    return f"at quality {write.quality(mean)} by {write.plural(judged, 'judged answer')}"


def _failures(failed: int) -> str:
    return f"; {write.plural(failed, 'request')} got no whole answer" if failed else ""
