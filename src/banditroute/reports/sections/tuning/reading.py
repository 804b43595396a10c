"""What the reader has to know: notes, and every term in a sentence."""

from banditroute.reports import format as write
from banditroute.reports.parts import Block, Bullets, Section, Term, Terms
from banditroute.tuning.results import Tuning

_TERMS = (
    Term("Quality", "the score of an answer, from 0 to 1, averaged over requests."),
    Term("Budget", "the dollars that a request may cost on average; single requests may cost more."),
    Term("90% interval", "stream orders and the requests themselves both counted as chance."),
    Term(
        "10% more buys",
        "the shadow price in words: quality that a budget larger by a tenth would add, on this traffic.",
    ),
    Term("Used", "spend over budget, in the stream order that spent the most."),
    Term("Envelope", "the best that a fixed mix of two models gets; it needs no learning."),
    Term("Oracle", "the best choice for every single request with its outcomes known in advance; nobody reaches it."),
)


def reading_section(result: Tuning) -> Section:
    """The section, last on the page; envelope and oracle are explained where they were computed."""
    notes: tuple[Block, ...] = (Bullets(result.notes),) if result.notes else ()
    absent = set() if result.envelope is not None else {"Envelope", "Oracle"}
    terms = tuple(term for term in _TERMS if term.word not in absent)
    return Section("reading", "Notes and definitions", "", (*notes, Terms((*terms, _repeat(result)))))


def _repeat(result: Tuning) -> Term:
    orders = f"; {write.plural(result.seeds, 'stream order')} per budget" if result.kind == "table" else ""
    warmup = f"; warm-up {result.warmup}" if result.warmup else ""
    return Term("To repeat", f"{result.kind} {result.source}{warmup}{orders}; it took {write.seconds(result.seconds)}.")
