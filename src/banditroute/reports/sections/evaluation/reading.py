"""What the reader has to know: notes, and every term in a sentence."""

from banditroute.evaluation.results import Evaluation
from banditroute.evaluation.verdict import ENOUGH
from banditroute.reports.parts import Block, Bullets, Section, Term, Terms

_TERMS = (
    Term("Change", "the estimate less what the logged policy got on the same decisions."),
    Term(
        "Weight",
        "the probability with which a policy would have made a logged choice, over the one with which it was drawn.",
    ),
    Term(
        "Effective decisions",
        "how many decisions of the policy's own the log is worth: the squared sum of the weights over the sum of their "
        "squares (Kish, 1965), of what was drawn or of what could have been, if that is less. Below "
        f"{ENOUGH:.0f} there is no verdict.",
    ),
    Term("Unseen", "choices of a policy that the log could not have drawn; what they would bring is not known."),
    Term(
        "95%, one look",
        "meant to be right 95 times in 100 for whoever looks once: of quality a bootstrap of the decisions, of dollars "
        "and seconds put right for what could have been drawn and was not.",
    ),
    Term(
        "95%, any time",
        "a confidence sequence: all of its intervals hold together with 95%, so that looking every day is honest.",
    ),
    Term("ips", "logged results, each times its weight (Horvitz and Thompson, 1952)."),
    Term("snips", "the same over the sum of the weights (Swaminathan and Joachims, 2015)."),
    Term("dm", "what a model of quality, dollars and seconds expects; no better than that model."),
    Term("dr", "dm, corrected by the weighted errors of its model (Dudík, Langford and Li, 2011)."),
    Term("switch-dr", "dr where weights are small, dm where they are large (Wang, Agarwal and Dudík, 2017)."),
)


def reading_section(result: Evaluation) -> Section:
    """The section, last on the page: only terms of estimators that were asked for."""
    notes: tuple[Block, ...] = (Bullets(result.notes),) if result.notes else ()
    asked = {each.estimator for each in result.estimates}
    named = {"ips", "snips", "dm", "dr", "switch-dr"}
    terms = tuple(term for term in _TERMS if term.word not in named or term.word in asked)
    return Section("reading", "Notes and definitions", "", (*notes, Terms(terms)))
