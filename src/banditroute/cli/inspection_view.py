"""What a router has learned and spent, as tables that fit 80 columns."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from banditroute.cli.alarm_view import alarms_table
from banditroute.cli.inspection import failed_attempts, mean_quality, span
from banditroute.cli.promise_view import promise_lines, promises_table
from banditroute.cli.tables import add_figures, add_names, listing_console, printable, titled_table
from banditroute.reports import format as form
from banditroute.reports.store.guards import GuardView
from banditroute.reports.store.inspection import Inspection
from banditroute.reports.store.live import PaceView
from banditroute.reports.store.shadow import ShadowView
from banditroute.reports.store.sources import SourceView
from banditroute.routing.accounts import Account
from banditroute.routing.insight import EdgeBelief
from banditroute.routing.pacers import CapOutlook
from banditroute.routing.standings import Standing
from banditroute.storage.protocol import Trail


def print_inspection(found: Inspection) -> None:
    """Prints beliefs, budgets and the newest decisions."""
    console = listing_console()
    if not found.edges:
        console.print("nothing is learned yet\n")
    tables = [_edges(found.edges, found.prompt.input_tokens)] if found.edges else []
    tables += [_newcomers(found.newcomers)] if found.newcomers else []
    tables += [_paces(found.paces)] if found.paces else []
    tables += [promises_table(found.promises)] if found.promises else []
    tables += [_accounts(found.accounts, found.at)] if found.accounts else []
    tables += [_outlooks(found.outlooks)] if found.outlooks else []
    tables += [alarms_table(found.alarms, found.at)] if found.alarms else []
    tables += [_guards(found.guards)] if found.guards else []
    tables += [_sources(found.sources)] if found.sources else []
    tables += [_shadow(found.shadow)] if found.shadow is not None else []
    tables += [_newest(found.newest, found.at)] if found.newest else []
    for table in tables:
        console.print(table)
        console.print()
    for line in _closing(found):
        console.print(line, soft_wrap=True)


def _closing(found: Inspection) -> list[str]:
    lines: list[str] = []
    if found.judged_elsewhere:
        count = form.count(found.judged_elsewhere)
        lines.append(f"judgements of models or features that this configuration does not have, left out: {count}")
    if found.shadow is not None and found.shadow.comparison is not None:
        lines.append(f"{printable(found.shadow.name)}: {found.shadow.comparison.verdict}")
    lines += promise_lines(found.promises)
    still_open = form.count(found.open_decisions)
    decisions = "decision is" if found.open_decisions == 1 else "decisions are"
    return [*lines, f"{still_open} {decisions} still open; --decision ID shows why one was made"]


def _edges(edges: Sequence[EdgeBelief], tokens: int) -> Table:
    table = titled_table(f"Learned, at a prompt of {form.count(tokens)} tokens")
    add_names(table, "task")
    add_names(table, "model")
    add_figures(table, "quality", "95%", "$/request", "seconds", "judged", "answered")
    before = None
    for edge in edges:
        span95 = f"{form.quality(edge.low)}-{form.quality(edge.high)}"
        counts = form.count(edge.judged), form.count(edge.answered)
        figures = (form.quality(edge.quality), span95, form.money(edge.cost_usd), f"{edge.latency_s:.3g}", *counts)
        task = "" if edge.task == before else printable(edge.task)
        table.add_row(Text(task), Text(edge.model), *figures)
        before = edge.task
    return table


def _newcomers(standings: Sequence[Standing]) -> Table:
    table = titled_table("Newcomers, beside the best other model")
    add_names(table, "model")
    add_names(table, "stage")
    add_figures(table, "requests", "judged", "gain", "between")
    for each in standings:
        counts = form.count(each.requests), form.count(round(each.judged))
        gain, between = form.ABSENT, form.ABSENT
        if each.judged:
            low, high = (form.quality_change(each.gain + side * each.radius) for side in (-1.0, 1.0))
            gain, between = form.quality_change(each.gain), f"{low} {high}"
        table.add_row(Text(each.model), Text(each.stage), *counts, gain, between)
    return table


def _paces(paces: Sequence[PaceView]) -> Table:
    table = titled_table("Paced budgets")
    add_names(table, "budget")
    add_names(table, "scope")
    add_figures(table, "$/request", "lately", "bucket", "shadow price", "requests")
    for each in paces:
        amount, price = form.money(each.budget.usd_per_request), f"{each.shadow_price:.4g}"
        names = Text(each.budget.name), Text(str(each.budget.scope))
        table.add_row(*names, amount, *_spending(each), price, _requests(each))
    return table


def _spending(each: PaceView) -> tuple[str, str]:
    """The running spend over the budget, and how full the bucket is; both dashes before the first request."""
    if each.record is None:
        return form.ABSENT, form.ABSENT
    return form.percent(each.record.spend), form.percent(each.record.level / each.bucket_requests)


def _requests(each: PaceView) -> str:
    return form.count(0 if each.record is None else each.record.requests)


def _accounts(accounts: Sequence[Account], now: float) -> Table:
    table = titled_table("Caps")
    add_names(table, "budget")
    add_names(table, "scope")
    add_figures(table, "cap", "spent", "held", "left", "window", "ends in")
    for each in accounts:
        dollars = (each.usd, each.spent_usd, each.reserved_usd, each.left_usd)
        names = Text(each.cap.name), Text(str(each.cap.scope))
        table.add_row(*names, *map(form.money, dollars), each.window.period, span(each.ends_at - now))
    return table


def _outlooks(outlooks: Sequence[CapOutlook]) -> Table:
    table = titled_table("Paced caps, to the end of their windows")
    add_names(table, "budget")
    add_figures(table, "$/request", "requests", "to come", "spent by then", "shadow price")
    for each in outlooks:
        amounts = form.money(each.usd_per_request), form.count(each.requests), form.count(round(each.to_come))
        table.add_row(Text(each.budget), *amounts, form.money(each.spent_usd), f"{each.shadow_price:.4g}")
    return table


def _guards(guards: Sequence[GuardView]) -> Table:
    table = titled_table("Guards")
    add_names(table, "guard")
    add_names(table, "sees to it that")
    add_figures(table, "decisions bent")
    for each in guards:
        bent = f"{form.count(each.bent)} of {form.count(each.decisions)}"
        table.add_row(Text(each.guard), Text(printable(each.promise)), bent)
    return table


def _sources(sources: Sequence[SourceView]) -> Table:
    table = titled_table("Judgements of the newest decisions")
    add_names(table, "source")
    add_figures(table, "judged", "quality", "weight", "judge's calls", "$")
    for each in sources:
        quality = form.ABSENT if each.quality is None else form.quality(each.quality)
        weight = form.ABSENT if each.weight is None else f"{each.weight:.2f}"
        paid = (form.count(each.calls), form.money(each.cost_usd)) if each.calls else ("", "")
        table.add_row(Text(printable(each.source)), form.count(each.judged), quality, weight, *paid)
    return table


def _shadow(shadow: ShadowView) -> Table:
    table = titled_table(f"Shadow, on {form.percent(shadow.share)} of the requests, by the newest decisions")
    add_names(table, "shadow")
    add_figures(table, "decided", "agrees", "better", "as good", "cheaper", "$ saved", "quality")
    found = shadow.comparison
    decided = form.count(0 if found is None else found.decisions)
    if found is None:
        table.add_row(Text(printable(shadow.name)), decided, *(form.ABSENT,) * 6)
        return table
    shares = map(form.percent, (found.agreement, found.win_rate, found.tie_rate, found.cheaper_rate))
    changes = form.money(found.saved_usd.mean), form.quality_change(found.quality_gain.mean)
    table.add_row(Text(printable(shadow.name)), decided, *shares, *changes)
    return table


def _newest(trails: Sequence[Trail], now: float) -> Table:
    table = titled_table("Newest decisions")
    table.add_column("decision", no_wrap=True, header_style="dim")
    add_figures(table, "ago")
    add_names(table, "task: model")
    add_figures(table, "drawn", "$", "s", "quality")
    for trail in trails:
        decision, quality = trail.decision, mean_quality(trail)
        chance = "pinned" if decision.pinned else f"{decision.propensity:.3f}"
        judged = "" if quality is None else form.quality(quality)
        names = span(now - decision.at), Text(printable(f"{decision.context.task}: {_served(trail)}"))
        table.add_row(decision.decision_id, *names, chance, *_spent(trail), judged)
    return table


def _spent(trail: Trail) -> tuple[str, str]:
    """Dollars and seconds."""
    outcome = trail.outcome
    return ("open", "") if outcome is None else (form.money(outcome.cost_usd), f"{outcome.latency_s:.3g}")


def _served(trail: Trail) -> str:
    """The model that was chosen, which one answered in its stead, and how many calls failed."""
    chosen, outcome, failed = trail.decision.chosen, trail.outcome, failed_attempts(trail)
    served = chosen if outcome is None or outcome.served == chosen else f"{chosen} > {outcome.served or 'nobody'}"
    return f"{served} ({failed} failed)" if failed else served
