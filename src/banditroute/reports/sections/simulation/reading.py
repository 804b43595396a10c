"""What the reader needs to judge the page: notes of the run, definitions, and how to repeat it."""

from banditroute.reports import format as write
from banditroute.reports.parts import Block, Bullets, Section, Term, Terms
from banditroute.simulation.results import SimulationResult

_TERMS = (
    Term("Quality", "the table's score of an answer, from 0 to 1, averaged over the scored requests."),
    Term("Budget", "the dollars that a request may cost on average; single requests may cost more."),
    Term(
        "Budget used",
        "mean dollars per scored request over the budget (utilisation): its mean over seeds and its worst seed.",
    ),
    Term(
        "Envelope",
        "the best that a fixed mix of two models gets: each request goes to one or the other by a coin, whatever it "
        "asks. It needs no learning; what lies below it isn't worth having.",
    ),
    Term(
        "Oracle",
        "the best choice for every single request with its outcomes known in advance, at the same mean spend. Nobody "
        "reaches it: much of it is luck in single outcomes.",
    ),
    Term(
        "Gap closed",
        "how far mean quality gets from the envelope (0%) to the oracle (100%), at the same budget; "
        "left out where the budget was overspent by more than 1%.",
    ),
    Term(
        "95% interval",
        "Student's t over seeds. It covers the order of the stream, not the choice of requests in the table.",
    ),
    Term(
        "Warm-up", "rows that a policy learns from before the scored ones; they count neither as quality nor as spend."
    ),
    Term("Model alone", "always calling that model, over the rows where its outcome is known."),
)


def reading_section(result: SimulationResult) -> Section:
    """The section, last on the page."""
    notes: tuple[Block, ...] = (Bullets(result.notes),) if result.notes else ()
    return Section("reading", "Notes and definitions", "", (*notes, Terms((*_TERMS, _repeat(result)))))


def _repeat(result: SimulationResult) -> Term:
    policies = write.listing(dict.fromkeys(one.policy for one in result.results))
    budgets = dict.fromkeys(one.budget_usd for one in result.results)
    limits = write.listing("none" if budget is None else f"${budget:.10g}" for budget in budgets)
    orders = write.seeds(result.results[0].seeds) if result.results else ""
    parts = [
        f"table {result.table}",
        f"warm-up {result.warmup or 'none'}",
        *([f"policies {policies}", f"budgets {limits}", f"seeds {orders}"] if result.results else []),
        f"{write.count(round(result.decisions_per_s))} simulated decisions per second",
    ]
    return Term("To repeat", "; ".join(parts) + ".")
