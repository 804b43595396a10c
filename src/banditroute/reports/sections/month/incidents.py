"""What happened in a month, in order, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from banditroute.reports import columns
from banditroute.reports import format as write
from banditroute.reports.month.month import Month
from banditroute.reports.parts import Block, Fold, Note, Section, Table
from banditroute.reports.store.timeline import Moment

_MOST = 200
_UNFOLDED = 12
_QUIET = frozenset({"started", "stopped", "reloaded", "best"})  # these are no trouble
_KINDS = {
    "alert": "alert",
    "changed": "changed model",
    "circuit": "circuit change",
    "newcomer": "newcomer's step",
    "switch": "thrown switch",
    "price": "price change",
    "reloaded": "reload",
    "reload": "failed reload",
    "key": "key change",
    "started": "start",
    "stopped": "stop",
}


def incidents_section(month: Month) -> Section:
    """The section: how many of each kind, and each of them with its cause."""
    if not month.moments:
        words = "Nothing is on record as having happened: no alarm, no circuit, no switch, no reload."
        return Section("incidents", "What happened", "", (Note(words),))
    cut: tuple[Block, ...] = ()
    if month.moments_cut:
        cut = (Note("The store keeps the newest 10,000 incidents, so that earlier ones of this month may be missing."),)
    return Section("incidents", "What happened", f"{counted(month.moments)}.", (*cut, *_listed(month.moments)))


def counted(moments: Iterable[Moment]) -> str:
    """How many of each kind there were, the most first."""
    kinds = Counter(each.kind for each in moments)
    return write.listing(_plural(number, _KINDS.get(kind, kind)) for kind, number in kinds.most_common())


def _plural(number: int, noun: str) -> str:
    text = write.plural(number, noun)
    return text if number == 1 or not noun.endswith("switch") else text.removesuffix("s") + "es"


def troubles(moments: Iterable[Moment]) -> list[Moment]:
    """Those that are more than everyday."""
    return [each for each in moments if each.kind not in _QUIET]


def incidents_table(moments: Sequence[Moment]) -> Table:
    """A row for each, oldest first."""
    return Table(
        name="incidents",
        caption="Oldest first, UTC.",
        columns=(
            columns.words("at_utc", "When", [write.date(each.at) for each in moments]),
            columns.words("kind", "Kind", [each.kind for each in moments]),
            columns.words("about", "About", [each.about or write.ABSENT for each in moments]),
            columns.words("what", "What happened", [each.text for each in moments]),
            columns.words("cause", "Why", [each.cause or write.ABSENT for each in moments]),
            columns.counts("processes", "Processes", [each.times for each in moments]),
        ),
    )


def _listed(moments: Sequence[Moment]) -> tuple[Block, ...]:
    """The table, behind a line that opens it where it is long; of very many those that are trouble, or the newest."""
    if len(moments) > _MOST:
        moments = (troubles(moments) or moments)[-_MOST:]
        label = f"The newest {len(moments)} of them, starts and reloads left out; the CSV file has all"
        return (Fold(label, (incidents_table(moments),)),)
    if len(moments) > _UNFOLDED:
        return (Fold(f"All {len(moments)}", (incidents_table(moments),)),)
    return (incidents_table(moments),)
