"""What of a router's store is asked for, and what is said of a decision."""

import statistics
from dataclasses import replace

from banditroute.errors import InputError
from banditroute.reports.store.inspection import Inspection
from banditroute.routing.tasks import is_judging
from banditroute.storage.protocol import Trail

_SPANS = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))


def narrowed(found: Inspection, task: str | None, last: int) -> Inspection:
    """The same with only so many of the newest decisions and, unless it is None, only of one task class.

    Raises:
        InputError: nothing is known of the task class.
    """
    if task is None:
        return replace(found, newest=found.newest[:last])
    tasks = tuple(dict.fromkeys(edge.task for edge in found.edges))
    if task not in tasks and not is_judging(task):
        known = ", ".join(tasks) or "none yet"
        raise InputError(f"nothing is learned of a class {task!r}", remedy=f"known: {known}", field="--task")
    edges = tuple(edge for edge in found.edges if edge.task == task)
    newest = tuple(trail for trail in found.newest if trail.decision.context.task == task)
    alarms = tuple(alarm for alarm in found.alarms if alarm.task in ("", task))
    return replace(found, edges=edges, newest=newest[:last], alarms=alarms)


def span(seconds: float) -> str:
    """A stretch of time as people say it, rounded down: 42 s, 7 min, 3 h, 12 d."""
    unit_s, unit = next((each for each in _SPANS if seconds >= each[0]), (1.0, "s"))
    return f"{max(seconds, 0.0) // unit_s:.0f} {unit}"


def mean_quality(trail: Trail) -> float | None:
    """The mean of a decision's judgements; None where there is none."""
    return statistics.fmean(each.quality for each in trail.feedback) if trail.feedback else None


def failed_attempts(trail: Trail) -> int:
    """How many calls failed on the decision's way to its end."""
    return 0 if trail.outcome is None else sum(bool(attempt.failure) for attempt in trail.outcome.attempts)
