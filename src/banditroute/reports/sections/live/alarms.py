"""Which models were found to be no longer what was learned of them."""

from banditroute.reports import columns
from banditroute.reports import format as write
from banditroute.reports.parts import Cell, Column, Section, Table
from banditroute.reports.store.alarms import before_and_after, confidence_of, signal_of
from banditroute.reports.store.live import LiveStore


def alarms_section(live: LiveStore) -> Section | None:
    """The section: a row per alarm, newest first; None where there is none."""
    alarms = live.alarms
    if not alarms:
        return None
    texts = [before_and_after(each) for each in alarms]
    table = Table(
        name="alarms",
        caption="Newest first. Before: what was expected when it came to light; after: what it is estimated to be "
        "since. Seen: observations behind that.",
        columns=(
            columns.words("at", "When", [write.date(each.at) for each in alarms]),
            columns.words("model", "Model", [each.model for each in alarms]),
            columns.words("signal", "What", [signal_of(each) for each in alarms]),
            columns.words("task", "Task class", [each.task or "all" for each in alarms]),
            Column("before", "Before", tuple(Cell(t[0], a.before) for t, a in zip(texts, alarms, strict=True))),
            Column("after", "After", tuple(Cell(t[1], a.after) for t, a in zip(texts, alarms, strict=True))),
            columns.counts("seen", "Seen", [each.seen for each in alarms]),
            Column("confidence", "Sure", tuple(Cell(confidence_of(each), each.confidence) for each in alarms)),
        ),
    )
    intro = "A change that nobody announced; what was learned of the model has been moved accordingly."
    return Section("alarms", "Models that changed", intro, (table,))


def alarm_in_words(live: LiveStore) -> tuple[str, ...]:
    """The newest change, in a sentence; nothing where there is none."""
    if not live.alarms:
        return ()
    newest, more = live.alarms[0], len(live.alarms) - 1
    before, after = before_and_after(newest)
    where = f" in {newest.task}" if newest.task else ""
    others = f"; {write.plural(more, 'change')} before it" if more else ""
    return (
        f"{newest.model} changed on {write.date(newest.at)} UTC: {signal_of(newest)}{where} from {before} to "
        f"{after}{others}.",
    )
