"""What the reader has to know: notes, and every term in a sentence."""

from banditroute.benching.results import BenchResult
from banditroute.reports.parts import Block, Bullets, Section, Term, Terms

_TERMS = (
    Term("Quality", "the graders' score of an answer, from 0 to 1, averaged over the answers that were graded."),
    Term("Dollars a call", "mean over calls that brought an answer, as billed or computed from tokens and prices."),
    Term("Dollars in all", "of all calls to the model, failed ones and retries included, judges left out."),
    Term(
        "95% interval", "what the figure may be on other prompts of the same kind; no more than a chance of 5% outside."
    ),
    Term("p", "how often chance alone makes so large a difference, corrected for all comparisons made (Holm, 1979)."),
    Term("Not shown", "the prompts do not tell the two apart; it does not mean that they are the same."),
)


def reading_section(result: BenchResult) -> Section:
    """The section, last on the page."""
    notes: tuple[Block, ...] = (Bullets(result.notes),) if result.notes else ()
    return Section("reading", "Notes and definitions", "", (*notes, Terms(_TERMS)))
