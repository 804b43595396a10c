"""A month's telling numbers, and what whoever pays should know, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from banditroute.reports import format as write
from banditroute.reports.month.budgets import gone_usd
from banditroute.reports.month.comparing import Amount, Compared
from banditroute.reports.month.month import Month
from banditroute.reports.parts import Bullets, Card, Cards, Section
from banditroute.reports.sections.month.caps import budgets_in_words
from banditroute.reports.sections.month.incidents import counted, troubles
from banditroute.reports.sections.month.savings import briefly


def overview_section(month: Month) -> Section:
    """The section: cards, then what stands out."""
    told = (*missing_in_words(month), *_spending(month), *budgets_in_words(month), *_savings(month), *_incidents(month))
    return Section("overview", "At a glance", "", (Cards(_cards(month)), Bullets(told)))


def missing_in_words(month: Month) -> Iterator[str]:
    """What of the month is not in these numbers."""
    first = month.traffic.first_at
    if not month.is_over:
        yield f"The month is not over: numbers are of {write.date(month.at)} UTC."
    if month.gone_before is not None:
        gone = gone_usd(month.caps)
        dollars = f" ({write.money(gone)} by a cap's own count)" if gone > 0.0 else ""
        yield (
            f"Decisions from before {write.date(month.gone_before)} UTC are past their retention and may be gone"
            f"{dollars}: totals are of what is on record. A longer store.retention_days keeps whole months."
        )
    elif gone := gone_usd(month.caps):
        yield f"{write.money(gone)} more were spent than is on record here: rows were deleted."
    if first is not None and first - month.period.starts_at > 86_400.0:
        yield f"The first decision on record of this month is of {write.date(first)} UTC."
    if month.traffic.total.still_open:
        yield f"{write.plural(month.traffic.total.still_open, 'decision')} without an outcome so far: not paid for yet."


def _cards(month: Month) -> tuple[Card, ...]:
    total = month.traffic.total
    return (
        Card("Spent", write.money(total.usd), _estimated(month)),
        Card("Requests", write.count(total.requests), f"{write.count(total.failed)} without a whole answer"),
        Card("A request", write.money(total.usd_per_request), _tokens(month)),
        Card("Quality", write.quality(total.quality), f"{write.count(total.judged)} answers judged"),
        *_saving_cards(month),
    )


def _saving_cards(month: Month) -> Iterator[Card]:
    for each in () if month.comparison is None else month.comparison.rows:
        if each.saved_usd is not None and each.is_sure:
            yield _saving_card(each.label, each.saved_usd)


def _saving_card(name: str, saved: Amount) -> Card:
    low, high = saved.ci95
    if saved.mean >= 0.0:
        ends = write.between(low, high, write.money)
        return Card(f"Saved against {name}", write.money(saved.mean), f"95% interval {ends}")
    ends = write.between(-high, -low, write.money)
    return Card(f"Spent more than {name}", write.money(-saved.mean), f"95% interval {ends}")


def _estimated(month: Month) -> str:
    total = month.traffic.total
    if not total.estimated:
        return "as billed or by the price list"
    return f"{write.money(total.estimated_usd)} of it estimated, in {write.plural(total.estimated, 'decision')}"


def _tokens(month: Month) -> str:
    total = month.traffic.total
    return f"{write.count(total.input_tokens)} tokens in, {write.count(total.output_tokens)} out"


def _spending(month: Month) -> Iterator[str]:
    total = month.traffic.total
    if total.estimated:
        yield (
            f"{write.money(total.estimated_usd)} are estimates: the provider did not say what "
            f"{write.plural(total.estimated, 'decision')} took."
        )
    if total.judge_calls:
        judging = sum(each.cost_usd for each in month.traffic.sources)
        yield f"{write.money(judging)} of it went to judges, for {write.plural(total.judge_calls, 'call')}."
    if total.failed:
        share = write.percent(total.failed / max(total.requests + total.judge_calls, 1))
        yield f"{write.plural(total.failed, 'request')} got no whole answer ({share})."
    if total.unmetered:
        yield f"Of {write.plural(total.unmetered, 'decision')} nobody knows the tokens; token sums leave them out."


def _savings(month: Month) -> Iterator[str]:
    rows: tuple[Compared, ...] = () if month.comparison is None else month.comparison.rows
    return (briefly(each) for each in rows)


def _incidents(month: Month) -> Iterator[str]:
    found = troubles(month.moments)
    if found:
        yield f"What happened: {counted(found)}."
