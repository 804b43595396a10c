"""Which answers a judgement is of that names no decision: by the caller's own name of the request or conversation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from banditroute.errors import FeedbackError, NotServedError, UnknownDecisionError

from .protocol import Named, StoreReader, Trail

MOST_JUDGED = 100
"""Of so many decisions of one name, the newest, a judgement by it is at most."""


def named_by(request_id: str | None, session_id: str | None, tenant: str | None) -> Named | None:
    """What a caller names decisions by; None where it does not.

    Raises:
        FeedbackError: it gives both names, or an empty one.
    """
    if request_id is None and session_id is None:
        return None
    if request_id is not None and session_id is not None:
        raise FeedbackError("expected one name, got two", remedy="give one of them", field="request_id")
    if not (request_id or session_id):
        field = "session_id" if request_id is None else "request_id"
        raise FeedbackError("expected a name, got an empty text", field=field)
    return Named(request_id or "", session_id or "", tenant)


async def answers_of(
    store: StoreReader, named: Named, settled: Callable[[str], Awaitable[None]], *, every: bool
) -> list[str]:
    """Ids of the decisions whose whole answers are meant: the newest one's, or those of all of the name.

    Args:
        store: has the decisions.
        named: their name.
        settled: returns once a decision that is being settled has been.
        every: all are meant, of the newest hundred decisions.

    Raises:
        UnknownDecisionError: no decision on record has the name.
        NotServedError: none of them has a whole answer (yet).
    """
    trails = await store.find(named, MOST_JUDGED)
    waiting = [trail.decision.decision_id for trail in trails if trail.outcome is None]
    if waiting:
        for decision_id in waiting:
            await settled(decision_id)
        trails = await store.find(named, MOST_JUDGED)
    if not trails:
        name, what = (named.request_id, "request") if named.request_id else (named.session_id, "session")
        raise UnknownDecisionError(name, what)
    whole = [trail.decision.decision_id for trail in trails if _is_whole(trail)]
    if not whole:
        raise NotServedError(trails[0].decision.decision_id, "no whole answer was delivered yet under its name")
    return whole if every else whole[:1]


def _is_whole(trail: Trail) -> bool:
    return trail.outcome is not None and trail.outcome.ok
