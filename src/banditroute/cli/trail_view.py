"""Everything on record of one decision, in words: what was weighed, what was done, what came of it."""

from datetime import UTC, datetime

from rich.table import Table
from rich.text import Text

from banditroute.cli.tables import add_figures, add_names, listing_console, printable, titled_table
from banditroute.records import Attempt, Decision, Feedback, Outcome, ShadowDecision
from banditroute.reports import format as form
from banditroute.storage.protocol import Trail


def print_trail(trail: Trail) -> None:
    """Prints the draw, the forecasts, the reasons against each other model, every call, the outcome, the judgements."""
    console = listing_console()
    for line in _drawn(trail.decision):
        console.print(printable(line), soft_wrap=True)
    console.print()
    if trail.decision.propensities:
        console.print(_considered(trail.decision))
    for line in _shadow(trail.decision.shadow):
        console.print(printable(line), soft_wrap=True)
    for model, reason in trail.decision.excluded.items():
        console.print(printable(f"{model} was not eligible: {reason}"), soft_wrap=True)
    console.print()
    for line in (*_ended(trail.outcome), *map(_judged, trail.feedback)):
        console.print(printable(line), soft_wrap=True)


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _drawn(decision: Decision) -> list[str]:
    tenant = f", for {decision.tenant}" if decision.tenant else ""
    how = "pinned by the caller" if decision.pinned else f"drawn with probability {decision.propensity:.4f}"
    return [
        f"{decision.decision_id}: {decision.context.task}, {_when(decision.at)}{tenant}",
        f"{decision.chosen}, {how}, by {decision.policy_version}, for about {decision.context.input_tokens:,} tokens",
        *(
            f"shadow price of {budget}: {price:.4g} quality points per budget-worth of dollars"
            for budget, price in decision.shadow_prices.items()
        ),
    ]


def _shadow(shadow: ShadowDecision | None) -> list[str]:
    if shadow is None:
        return []
    chances = ", ".join(
        f"{model} {p:.4f}" for model, p in sorted(shadow.propensities.items(), key=lambda each: -each[1])
    )
    return [f"{shadow.name}, a shadow, would have called {shadow.chosen}, drawn from {chances}"]


def _considered(decision: Decision) -> Table:
    table = titled_table("Expected of each eligible model")
    add_names(table, "model")
    add_figures(table, "probability", "quality", "± sd", "$", "seconds", "tokens")
    for model, p in sorted(decision.propensities.items(), key=lambda each: -each[1]):
        table.add_row(Text(model), f"{p:.4f}", *_forecast(decision, model))
    return table


def _forecast(decision: Decision, model: str) -> tuple[str, ...]:
    found = decision.forecasts.get(model)
    if found is None:
        return (form.ABSENT,) * 5
    quality = form.quality(found.quality), form.quality(found.quality_sd)
    return (*quality, form.money(found.cost_usd), f"{found.latency_s:.3g}", f"{found.output_tokens:.0f}")


def _ended(outcome: Outcome | None) -> list[str]:
    if outcome is None:
        return ["no outcome yet"]
    lines = list(map(_called, outcome.attempts))
    served = f"{outcome.served} answered" if outcome.ok else "no whole answer"
    notes = f"{', estimated' if outcome.estimated else ''}{', from a cache' if outcome.from_cache else ''}"
    lines.append(f"{served} in {outcome.latency_s:.3g} s for {form.money(outcome.cost_usd)}{notes}")
    if outcome.ttft_s is not None:
        lines.append(f"first content after {outcome.ttft_s:.3g} s")
    if outcome.usage is not None:
        lines.append(f"{outcome.usage.input_tokens:,} tokens in, {outcome.usage.output_tokens:,} out")
    return lines


def _called(attempt: Attempt) -> str:
    ending = f"{attempt.failure}: {attempt.problem}" if attempt.failure else "answered"
    kind = " (probe)" if attempt.probe else " (hedge)" if attempt.hedge else ""
    return f"called {attempt.model}{kind}: {ending}; {attempt.duration_s:.3g} s, {form.money(attempt.cost_usd)}"


def _judged(feedback: Feedback) -> str:
    return f"judged {feedback.quality:.3f} by {feedback.source}, {_when(feedback.at)}"
