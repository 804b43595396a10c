"""What a store refuses to take in: numbers that would spoil every sum they are added to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from banditroute.errors import InputError
from banditroute.learning.evidence import Evidence
from banditroute.records import Incident
from banditroute.routing.lessons import Edge, Lesson

from .protocol import Charge, Dispatch


def check_dispatch(dispatch: Dispatch) -> None:
    """Makes sure that a decision has an instant, and that its texts are some.

    Raises:
        InputError: the instant is no finite number, or a text is no Unicode.
    """
    decision = dispatch.decision
    if not math.isfinite(decision.at):
        raise InputError(f"{decision.at} is not an instant", field="at")
    names = ("request_id", dispatch.request_id), ("session_id", dispatch.session_id)
    for field, text in (("tenant", decision.tenant), ("task", decision.context.task), *names):
        if not text.isascii():
            _check_unicode(field, text)


def check_incident(incident: Incident) -> None:
    """Makes sure that an incident has an instant, and that its texts are some.

    Raises:
        InputError: the instant is no finite number, or a text is no Unicode.
    """
    if not math.isfinite(incident.at):
        raise InputError(f"{incident.at} is not an instant", field="at")
    for field in ("kind", "about", "text", "cause", "by"):
        _check_unicode(field, getattr(incident, field))


def check_numbers(lessons: Iterable[Lesson], charges: Iterable[Charge] = ()) -> None:
    """Makes sure that what is to be added up is finite.

    Raises:
        InputError: it is not.
    """
    for lesson in lessons:
        seen = [value for value in lesson.values if value is not None]
        if not math.isfinite(sum(lesson.x) + sum(seen) + lesson.weight) or lesson.weight < 0:
            problem = f"a lesson of {lesson.model!r} has a number that is not finite, or a weight below 0"
            raise InputError(problem, field="lessons")
    for charge in charges:
        if not math.isfinite(charge.usd):
            raise InputError(f"{charge.usd} is not an amount of dollars", field="charges")


def check_sums(sums: Mapping[Edge, Evidence]) -> None:
    """Makes sure that what is to be added to evidence is finite.

    Raises:
        InputError: it is not.
    """
    for edge, more in sums.items():
        if not all(np.isfinite(part).all() for part in more):
            raise InputError(f"what is to be added of {edge.model!r} in {edge.task!r} is not finite", field="sums")


def is_unicode(text: str) -> bool:
    """Whether a text can be written at all; one that cannot is not on record either."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_unicode(field: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"not valid Unicode at character {error.start}", field=field) from None
