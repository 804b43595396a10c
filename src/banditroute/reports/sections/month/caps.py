"""What was spent in a month beside what its caps and paced budgets allow."""

from __future__ import annotations

from collections.abc import Iterator

from banditroute.reports import columns
from banditroute.reports import format as write
from banditroute.reports.month.budgets import CapMonth, PaceMonth
from banditroute.reports.month.month import Month
from banditroute.reports.parts import Block, Bullets, Section, Table

_FULL = 1.0
_NEARLY = 0.8


def budgets_section(month: Month) -> Section | None:
    """The section: caps, then paced budgets; None where there is neither."""
    tables = budget_tables(month)
    if not tables:
        return None
    told = tuple(_gone(month.caps))
    notes: tuple[Block, ...] = (Bullets(told),) if told else ()
    intro = "Against the budgets as they are configured now; what a cap has spent is the store's own count."
    return Section("budgets", "Against the budgets", intro, (*tables, *notes))


def budget_tables(month: Month) -> tuple[Table, ...]:
    """A table of caps and one of paced budgets, as far as there are any."""
    caps = (_caps(month.caps),) if month.caps else ()
    return (*caps, _paces(month.paces)) if month.paces else caps


def budgets_in_words(month: Month) -> Iterator[str]:
    """Where each budget ended, in a sentence."""
    for each in month.caps:
        yield _cap_in_words(each)
    for pace in month.paces:
        if pace.sums.requests:
            allowed, spent = write.money(pace.budget.usd_per_request), write.money(pace.sums.usd_per_request)
            what = f"{pace.budget.name} ({pace.budget.scope})"
            yield f"{what} allows {allowed} a request; {spent} were spent ({write.percent(pace.share)})."


def _cap_in_words(each: CapMonth) -> str:
    what = f"{each.cap.name} ({each.cap.scope})"
    name, share = each.fullest
    if each.cap.per == "month":
        carried = ", and what the month before left" if each.cap.carry else ""
        spent = f"{write.money(each.spent_usd)} of {write.money(each.cap.usd)}{carried} were spent"
        return f"{what}: {spent} ({write.percent(share)})."
    if not name:
        return f"{what}: nothing was spent."
    return f"{what}: {write.money(each.cap.usd)} a day, of which the dearest day, {name}, took {write.percent(share)}."


def _gone(caps: tuple[CapMonth, ...]) -> Iterator[str]:
    for each in caps:
        amount = write.money(abs(each.gone_usd))
        if each.gone_usd > 0.0:
            yield (
                f"{each.cap.name}: the store counts {amount} more than the decisions on record cost: their rows were "
                "deleted, by their age or with their tenant. No other table has these dollars."
            )
        elif each.gone_usd < 0.0:
            yield f"{each.cap.name}: the decisions on record cost {amount} more than the store counts for it."


def _caps(caps: tuple[CapMonth, ...]) -> Table:
    fullest = [each.fullest for each in caps]
    return Table(
        name="caps",
        caption="Caps. Fullest: the day or month that came closest to the cap. On record: dollars of the decisions "
        "whose rows are still there.",
        columns=(
            columns.words("budget", "Cap", [each.cap.name for each in caps]),
            columns.words("scope", "Covers", [str(each.cap.scope) for each in caps]),
            columns.words("per", "Per", [each.cap.per for each in caps]),
            columns.money("cap_usd", "Dollars", [each.cap.usd for each in caps]),
            columns.money("spent_usd", "Spent in the month", [each.spent_usd for each in caps]),
            columns.money("recorded_usd", "On record", [each.recorded_usd for each in caps]),
            columns.words("fullest_utc", "Fullest", [name or write.ABSENT for name, _ in fullest]),
            columns.numbers("fullest_share", "of the cap", [share for _, share in fullest], write.percent),
            columns.counts("windows_80_percent", "At 80% or more", [each.windows_above(_NEARLY) for each in caps]),
            columns.counts("windows_full", "Full", [each.windows_above(_FULL) for each in caps]),
        ),
    )


def _paces(paces: tuple[PaceMonth, ...]) -> Table:
    return Table(
        name="paces",
        caption="Paced budgets: requests that came to an end, and what they cost on average.",
        columns=(
            columns.words("budget", "Budget", [each.budget.name for each in paces]),
            columns.words("scope", "Covers", [str(each.budget.scope) for each in paces]),
            columns.money("budget_usd_per_request", "Allowed", [each.budget.usd_per_request for each in paces]),
            columns.money("usd_per_request", "A request", [each.sums.usd_per_request for each in paces]),
            columns.numbers("share_of_budget", "of the budget", [each.share for each in paces], write.percent),
            columns.counts("requests", "Requests", [each.sums.requests for each in paces]),
            columns.money("spent_usd", "Spent", [each.sums.usd for each in paces]),
        ),
    )
