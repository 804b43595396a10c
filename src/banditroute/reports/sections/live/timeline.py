"""What happened lately, in order, and why."""

from banditroute.reports import columns
from banditroute.reports import format as write
from banditroute.reports.parts import Section, Table
from banditroute.reports.store.live import LiveStore

_MOST = 200


def timeline_section(live: LiveStore) -> Section | None:
    """The section: a row for each thing that happened, newest first; None where nothing did."""
    moments = live.timeline[: -_MOST - 1 : -1]
    if not moments:
        return None
    table = Table(
        name="timeline",
        caption=f"Newest first, the newest {_MOST} at most; `banditroute timeline` has them all.",
        columns=(
            columns.words("at", "When", [write.date(each.at) for each in moments]),
            columns.words("kind", "Kind", [each.kind for each in moments]),
            columns.words("text", "What happened", [each.text for each in moments]),
            columns.words("cause", "Why", [each.cause for each in moments]),
        ),
    )
    intro = "Starts and stops, reloads, changes of models, circuits, newcomers, switches, and what was told of them."
    return Section("timeline", "What happened", intro, (table,))
