"""Where the budgets stand: what is spent beside what may be, in numbers and in words."""

import math
from dataclasses import replace

from banditroute.reports import columns
from banditroute.reports import format as write
from banditroute.reports.parts import Block, Cell, Column, Section, Table
from banditroute.reports.store.live import LiveStore, PaceView
from banditroute.routing.accounts import Account


def budgets_section(live: LiveStore) -> Section | None:
    """The section: paced budgets, then caps; None where there is neither."""
    paces: tuple[Block, ...] = (_paces(live.paces),) if live.paces else ()
    caps: tuple[Block, ...] = (_caps(live.accounts, live.at),) if live.accounts else ()
    if not paces and not caps:
        return None
    intro = (
        "A paced budget steers choices so that spending settles at it; a cap turns requests down that would pass it."
    )
    return Section("budgets", "Budgets", intro, (*paces, *caps))


def pace_in_words(each: PaceView) -> str:
    """Where a paced budget stands, in a sentence."""
    amount = f"{each.budget.name} ({each.budget.scope}): {write.money(each.budget.usd_per_request)} per request"
    if each.record is None:
        return f"{amount}, no request so far."
    lately = f"lately {write.percent(each.record.spend)} of it is spent"
    return f"{amount}, {lately}; {price_in_words(each.shadow_price)}."


def price_in_words(shadow_price: float) -> str:
    """What a shadow price asks of dearer answers."""
    if shadow_price < 0.0005:
        return "dollars are not short, so the best model is chosen whatever it costs"
    return (
        f"dollars are short: an answer that costs one budget more must be {write.quality(shadow_price)} better to be "
        "worth it"
    )


def cap_in_words(each: Account, now: float) -> str:
    """Where a cap stands, in a sentence."""
    share = write.percent(each.spent_usd / each.usd)
    left = write.stretch(max(each.ends_at - now, 0.0))
    return (
        f"{each.cap.name} ({each.cap.scope}): {write.money(each.spent_usd)} of {write.money(each.usd)} spent "
        f"({share}), {write.money(each.left_usd)} left for {left}."
    )


def _paces(paces: tuple[PaceView, ...]) -> Table:
    records = [each.record for each in paces]
    spends = [math.nan if record is None else record.spend for record in records]
    levels = [math.nan if each.record is None else each.record.level / each.bucket_requests for each in paces]
    return Table(
        name="paces",
        caption="Paced budgets. Lately: running mean of spend over budget. Bucket: what may be spent above the budget "
        "for a while, if full.",
        columns=(
            columns.words("budget", "Budget", [each.budget.name for each in paces]),
            columns.words("scope", "Covers", [str(each.budget.scope) for each in paces]),
            columns.money("usd_per_request", "Per request", [each.budget.usd_per_request for each in paces]),
            columns.numbers("running_spend", "Lately", spends, write.percent),
            columns.numbers("bucket", "Bucket", levels, write.percent),
            columns.numbers("shadow_price", "Shadow price", [each.shadow_price for each in paces], write.quality),
            columns.counts("requests", "Requests", [0 if record is None else record.requests for record in records]),
        ),
    )


def _caps(accounts: tuple[Account, ...], now: float) -> Table:
    return Table(
        name="caps",
        caption="Caps in their current windows. Held: what open decisions may still cost.",
        columns=(
            columns.words("budget", "Budget", [each.cap.name for each in accounts]),
            columns.words("scope", "Covers", [str(each.cap.scope) for each in accounts]),
            columns.money("usd", "Cap", [each.usd for each in accounts]),
            _spent(accounts),
            columns.money("reserved_usd", "Held", [each.reserved_usd for each in accounts]),
            columns.money("left_usd", "Left", [each.left_usd for each in accounts]),
            Column("window", "Window", tuple(_window(each, now) for each in accounts), numeric=False),
        ),
    )


def _spent(accounts: tuple[Account, ...]) -> Column:
    dollars = columns.money("spent_usd", "Spent", [each.spent_usd for each in accounts])
    shares = (write.percent(each.spent_usd / each.usd) for each in accounts)
    return Column(
        dollars.key,
        dollars.label,
        tuple(replace(cell, detail=share) for cell, share in zip(dollars.cells, shares, strict=True)),
    )


def _window(each: Account, now: float) -> Cell:
    detail = f"ends in {write.stretch(max(each.ends_at - now, 0.0))}"
    return Cell(each.window.period, each.window.period, detail=detail)
