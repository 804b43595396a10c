"""Who judged the newest answers, how they judged, and what their judging cost."""

from collections.abc import Iterable

from banditroute.reports.store.sources import SourceTally
from banditroute.reports.store.sources import SourceView as SourceView
from banditroute.storage.protocol import Trail


def sources_of(trails: Iterable[Trail]) -> tuple[SourceView, ...]:
    """The sources of the judgements of some decisions, sorted by name; a judge that gave none is among them."""
    tally = SourceTally()
    for trail in trails:
        tally.add(trail)
    return tally.views()
