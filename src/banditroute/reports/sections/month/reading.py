"""What every word on a monthly page means."""

from __future__ import annotations

from banditroute.reports.parts import Section, Term, Terms

_TERMS = (
    Term("Month", "a calendar month of UTC; a decision counts in the month in which it was made."),
    Term("Request", "a decision on record; calls of judge models are no requests, and their dollars are in all sums."),
    Term("Dollars", "of all calls that a request took, failed ones included, as billed or computed from tokens."),
    Term("Estimated", "the provider did not say what a call took, so that tokens and dollars are reckoned."),
    Term("Quality", "the mean of an answer's judgements, from 0 to 1, averaged over judged answers."),
    Term("Saved", "what a baseline would have spent on the decisions left to chance, less what was spent on them."),
    Term("Gained", "the quality that was got on them, less what the baseline would have got."),
    Term(
        "95% interval",
        "of a week's mean after Wilson (1927); against a baseline of quality by bootstrap, of dollars put right for "
        "rare and dear draws.",
    ),
    Term("No verdict", "what is on record is worth too few of the baseline's own decisions to say anything."),
)


def reading_section() -> Section:
    """The section, last on the page."""
    return Section("reading", "Definitions", "", (Terms(_TERMS),))
