"""What the reader has to know: notes, and every term in a sentence."""

from banditroute.reports.parts import Block, Bullets, Section, Term, Terms
from banditroute.reports.store.live import LiveStore

_TERMS = (
    Term("Request", "a decision on record; calls of judge models are no requests, and their dollars stand apart."),
    Term("Quality", "the mean of an answer's judgements, from 0 to 1, averaged over judged answers."),
    Term(
        "Per request", "dollars of all calls that answering took, failed ones included, over requests with an outcome."
    ),
    Term("Shadow price", "quality that an answer costing one budget more than another must gain to be chosen."),
    Term("95% interval", "of a bin's mean after Wilson (1927); of a belief the posterior's own."),
    Term("95% below", "seconds that 95% of answers stayed below, to within 1%."),
)


def reading_section(live: LiveStore) -> Section:
    """The section, last on the page."""
    notes: tuple[Block, ...] = (Bullets(live.notes),) if live.notes else ()
    return Section("reading", "Notes and definitions", "", (*notes, Terms(_TERMS)))
