"""Who judged, and what judging cost."""

import math

from banditroute.reports import columns
from banditroute.reports.parts import Section, Table
from banditroute.reports.store.live import LiveStore


def judgements_section(live: LiveStore) -> Section | None:
    """The section: a row per source of judgements; None where there is none."""
    sources = live.history.sources
    if not sources:
        return None
    table = Table(
        name="sources",
        caption="All judgements on record. Weight: how much they count for, against 1 for one that is trusted in full. "
        "Calls and dollars: of judge models.",
        columns=(
            columns.words("source", "Source", [each.source for each in sources]),
            columns.counts("judged", "Judged", [each.judged for each in sources]),
            columns.quality("quality", "Quality", [_known(each.quality) for each in sources]),
            columns.numbers("weight", "Weight", [_known(each.weight) for each in sources], lambda x: f"{x:.2f}"),
            columns.counts("calls", "Calls", [each.calls for each in sources]),
            columns.money("cost_usd", "Dollars", [each.cost_usd for each in sources]),
        ),
    )
    return Section("judgements", "Who judges", "", (table,))


def _known(value: float | None) -> float:
    return math.nan if value is None else value
