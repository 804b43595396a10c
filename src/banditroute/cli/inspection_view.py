"""What a router has learned and spent, as tables that fit 80 columns."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from banditroute.cli.inspection import Inspection, PaceView, mean_quality, when
from banditroute.cli.tables import add_figures, add_names, plain_console, titled_table
from banditroute.reports import format as form
from banditroute.routing.accounts import Account
from banditroute.routing.insight import EdgeBelief
from banditroute.storage.protocol import Trail


def print_inspection(found: Inspection) -> None:
    """Prints beliefs, budgets and the newest decisions."""
    console = plain_console()
    tables = [_edges(found.edges, found.input_tokens)]
    tables += [_paces(found.paces)] if found.paces else []
    tables += [_accounts(found.accounts)] if found.accounts else []
    tables += [_newest(found.newest)] if found.newest else []
    for table in tables:
        console.print(table)
        console.print()
    console.print(f"{found.open_decisions} decisions are still open; --decision ID shows why one was made")


def print_trail(trail: Trail) -> None:
    """Prints everything on record of one decision."""
    console = plain_console()
    decision = trail.decision
    drawn = "pinned by the caller" if decision.pinned else f"drawn with probability {decision.propensity:.4f}"
    tenant = f", for {decision.tenant}" if decision.tenant else ""
    console.print(f"{decision.decision_id}: {decision.context.task}, {when(decision.at)} UTC{tenant}")
    console.print(f"{decision.chosen}, {drawn}, by {decision.policy_version}")
    for budget, price in decision.shadow_prices.items():
        console.print(f"shadow price of {budget}: {price:.4g} quality points per budget-worth of dollars")
    console.print()
    console.print(_considered(trail))
    for model, reason in decision.excluded.items():
        console.print(f"{model} was not eligible: {reason}")
    console.print()
    _print_ending(trail, console)


def _print_ending(trail: Trail, console: Console) -> None:
    outcome = trail.outcome
    if outcome is None:
        console.print("no outcome yet")
        return
    for attempt in outcome.attempts:
        what = f"{attempt.failure}: {attempt.problem}" if attempt.failure else "answered"
        kind = " (probe)" if attempt.probe else " (hedge)" if attempt.hedge else ""
        cost = form.money(attempt.cost_usd)
        console.print(f"called {attempt.model}{kind}: {what}; {attempt.duration_s:.3g} s, {cost}", soft_wrap=True)
    served = f"{outcome.served} answered" if outcome.ok else "no whole answer"
    estimated = ", estimated" if outcome.estimated else ""
    console.print(f"{served} in {outcome.latency_s:.3g} s for {form.money(outcome.cost_usd)}{estimated}")
    if outcome.usage is not None:
        console.print(f"{outcome.usage.input_tokens} tokens in, {outcome.usage.output_tokens} out")
    for each in trail.feedback:
        console.print(f"judged {each.quality:.3f} by {each.source}, {when(each.at)} UTC")


def _edges(edges: Sequence[EdgeBelief], tokens: int) -> Table:
    table = titled_table(f"Learned, at a prompt of {form.count(tokens)} tokens")
    add_names(table, "task")
    add_names(table, "model")
    add_figures(table, "quality", "95%", "$/request", "seconds", "judged")
    before = None
    for edge in edges:
        span = f"{form.quality(edge.low)}-{form.quality(edge.high)}"
        figures = (form.money(edge.cost_usd), f"{edge.latency_s:.3g}", form.count(edge.judged))
        task = "" if edge.task == before else edge.task
        table.add_row(Text(task), Text(edge.model), form.quality(edge.quality), span, *figures)
        before = edge.task
    return table


def _paces(paces: Sequence[PaceView]) -> Table:
    table = titled_table("Paced budgets")
    add_names(table, "budget")
    add_names(table, "scope")
    add_figures(table, "$/request", "lately", "shadow price", "requests")
    for each in paces:
        record = each.record
        lately, requests = ("-", "0") if record is None else (f"{record.spend:.0%}", form.count(record.requests))
        figures = (form.money(each.budget.usd_per_request), lately, f"{each.shadow_price:.4g}", requests)
        table.add_row(Text(each.budget.name), Text(str(each.budget.scope)), *figures)
    return table


def _accounts(accounts: Sequence[Account]) -> Table:
    table = titled_table("Caps")
    add_names(table, "budget")
    add_names(table, "scope")
    add_figures(table, "cap", "spent", "held", "left", "window")
    for each in accounts:
        dollars = (each.cap.usd, each.spent_usd, each.reserved_usd, each.left_usd)
        table.add_row(Text(each.cap.name), Text(str(each.cap.scope)), *map(form.money, dollars), each.window.period)
    return table


def _newest(trails: Sequence[Trail]) -> Table:
    table = titled_table("Newest decisions")
    table.add_column("decision", no_wrap=True, header_style="dim")
    add_names(table, "task: model")
    add_figures(table, "drawn", "$", "quality")
    for trail in trails:
        decision, outcome, quality = trail.decision, trail.outcome, mean_quality(trail)
        cost = "open" if outcome is None else form.money(outcome.cost_usd)
        judged = "" if quality is None else form.quality(quality)
        chance = "pinned" if decision.pinned else f"{decision.propensity:.3f}"
        table.add_row(decision.decision_id, Text(f"{decision.context.task}: {_served(trail)}"), chance, cost, judged)
    return table


def _served(trail: Trail) -> str:
    """The model that was chosen, and which one answered in its stead."""
    chosen, outcome = trail.decision.chosen, trail.outcome
    if outcome is None or outcome.served == chosen:
        return chosen
    return f"{chosen} > {outcome.served or 'nobody'}"


def _considered(trail: Trail) -> Table:
    decision = trail.decision
    table = titled_table("Expected of each eligible model")
    add_names(table, "model")
    add_figures(table, "probability", "quality", "±", "$", "seconds", "tokens")
    for model, p in sorted(decision.propensities.items(), key=lambda each: -each[1]):
        forecast = decision.forecasts[model]
        figures = (form.money(forecast.cost_usd), f"{forecast.latency_s:.3g}", f"{forecast.output_tokens:.0f}")
        quality = form.quality(forecast.quality), form.quality(forecast.quality_sd)
        table.add_row(Text(model), f"{p:.4f}", *quality, *figures)
    return table
