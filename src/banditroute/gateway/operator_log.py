"""What whoever runs the gateway should hear of: events of the router that are rare, as lines of the log."""

from __future__ import annotations

from typing import Any

from banditroute.gateway.access_log import Log
from banditroute.observe import (
    Alerted,
    BreakerChanged,
    ClassesChanged,
    Drifted,
    Event,
    KeyChanged,
    PeersChanged,
    Reloaded,
    ReloadFailed,
    RolloutChanged,
    ShadowFailed,
    StoreCrowded,
    StoreFailed,
    SwitchPassedOver,
    SwitchThrown,
)


class OperatorLog:
    """An observer that writes lines; they hold neither prompts nor keys.

    Args:
        log: where to.
    """

    def __init__(self, log: Log) -> None:
        self._log = log

    def notify(self, event: Event) -> None:
        """A line, where the event is one that somebody may have to act on."""
        told = _told(event)
        if told is not None:
            self._log.event(type(event).__name__, told)


def _told(event: Event) -> dict[str, Any] | None:  # noqa: C901 - a table, a line or two each
    match event:
        case BreakerChanged(model, state, reason):
            return {"model": model, "state": state, "reason": reason}
        case KeyChanged(provider, key, reason, until):
            return {"provider": provider, "key": key, "reason": reason, "until": until}
        case StoreFailed(doing, problem):
            return {"doing": doing, "problem": problem}
        case PeersChanged(joined, left, present):
            return {"joined": joined, "left": left, "present": present}
        case StoreCrowded(remedy):
            return {"problem": "another process writes into the store", "remedy": remedy}
        case ClassesChanged(tasks, problem):
            return {"tasks": list(tasks), "problem": problem}
        case Drifted(alarm):
            return {"problem": alarm.text}
        case ShadowFailed(shadow, doing, problem):
            return {"shadow": shadow, "doing": doing, "problem": problem}
        case ReloadFailed(problem):
            return {"problem": problem}
        case Reloaded(changes):
            return {"changes": str(changes)}
        case Alerted(alert, to) if "log" in to:
            return {"alert": alert.kind, "state": alert.state, "text": alert.text, "cause": alert.cause}
        case SwitchThrown(name, value):
            return {"switch": name, "value": value}
        case SwitchPassedOver(model):
            return {"model": model}
        case RolloutChanged(model, stage, reason):
            return {"model": model, "stage": stage, "reason": reason}
        case _:
            return None
