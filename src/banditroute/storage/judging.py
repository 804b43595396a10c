"""Whether a decision may be judged, as the log has it."""

from __future__ import annotations

from banditroute.errors import NotServedError
from banditroute.records import Outcome

from .codec import settled_of


def judged_outcome(decision_id: str, settlement: str | None) -> Outcome:
    """The outcome of a decision that may be judged, from its settlement as it is written.

    Raises:
        NotServedError: there is none yet, or no whole answer was delivered.
    """
    return judgeable(decision_id, None if settlement is None else settled_of(settlement).outcome)


def judgeable(decision_id: str, outcome: Outcome | None) -> Outcome:
    """The outcome, if it can be judged.

    Raises:
        NotServedError: there is none yet, or no whole answer was delivered.
    """
    if outcome is None:
        raise NotServedError(decision_id, "it has no outcome yet; record one first")
    if not outcome.ok:
        raise NotServedError(decision_id, "no whole answer was delivered")
    return outcome
