"""Events that are worth finding again, as incidents in words; they hold neither prompts nor keys."""

from __future__ import annotations

from collections.abc import Iterator

from banditroute.changes import Changes, Edit
from banditroute.observe import (
    BestDoubted,
    BestFound,
    BreakerChanged,
    ClassesChanged,
    Event,
    KeyChanged,
    Reloaded,
    ReloadFailed,
    RolloutChanged,
    StoreCrowded,
    SwitchPassedOver,
    SwitchThrown,
)
from banditroute.records import Alert, Incident

_MOST_LETTERS = 500
_STATES = {"open": "opened", "closed": "closed"}


def started(now: float, by: str, version: str, file: str, *, abruptly: bool) -> Incident:
    """That a process began; abruptly: the one before it never said that it ended."""
    cause = "the process before it ended without a word: killed, crashed, or its host" if abruptly else ""
    return _incident(now, "started", "", f"banditroute {version} began to serve by {file}", cause, by)


def stopped(now: float, by: str) -> Incident:
    """That a process ended as it should."""
    return _incident(now, "stopped", "", "the router ended", "it was told to", by)


def of_alert(alert: Alert, by: str, *, silenced: bool) -> Incident:
    """That something was told, or would have been."""
    text = f"{alert.kind}, {alert.state}: {alert.text}{' (silenced)' if silenced else ''}"
    return _incident(alert.at, "alert", alert.about, text, alert.cause, by)


def unsent(now: float, alert: Alert, problem: str, by: str) -> Incident:
    """That a webhook did not take an alert."""
    return _incident(now, "unsent", alert.about, f"the webhook did not take: {alert.text}", problem, by)


def of_event(event: Event, now: float, by: str) -> Iterator[Incident]:
    """The incidents of an event; none where it is an everyday one, or is on record otherwise."""
    match event:
        case Reloaded(changes):
            yield from _reloaded(changes, now, by)
        case ReloadFailed(problem):
            yield _incident(now, "reload", "", "the configuration was not reloaded; the one before stays", problem, by)
        case ClassesChanged(tasks, problem):
            yield _incident(now, "classes", "", f"named otherwise than before: {', '.join(tasks)}", problem, by)
        case StoreCrowded(remedy):
            yield _incident(now, "store", "", "another process writes into the store too", remedy, by)
        case BestFound(task, model, confidence):
            text = f"{model} is the best of {task}: nothing else is tried there"
            yield _incident(now, "best", task, text, f"{confidence:.1%} sure by what was judged", by)
        case BestDoubted(task, model, reason):
            yield _incident(now, "best", task, f"{model} may not be the best of {task} any more", reason, by)
        case _:
            found = _of_a_model(event, now, by)
            if found is not None:
                yield found


def _of_a_model(event: Event, now: float, by: str) -> Incident | None:
    match event:
        case BreakerChanged(model, state, reason) if state in _STATES:
            return _incident(now, "circuit", model, f"the circuit of {model} {_STATES[state]}", reason, by)
        case KeyChanged(provider, key, reason):
            came = "went out of use" if reason else "is in use again"
            return _incident(now, "key", provider, f"key {key} of {provider} {came}", reason, by)
        case RolloutChanged(model, stage, reason):
            return _incident(now, "newcomer", model, f"{model} is at the stage: {stage}", reason, by)
        case SwitchThrown(name, value):
            text = f"switch {name} was thrown: {value}" if value else f"switch {name} was taken back"
            return _incident(now, "switch", value, text, "an operator said so", by)
        case SwitchPassedOver(model):
            text = f"others serve what {model} cannot, to which everything is switched"
            return _incident(now, "switch", model, text, f"{model} cannot be called", by)
        case _:
            return None


def _reloaded(changes: Changes, now: float, by: str) -> Iterator[Incident]:
    yield _incident(now, "reloaded", "", "another configuration is in force", str(changes), by)
    for edit in changes.repriced:
        yield _incident(now, "price", edit.name, _price(edit), "the configuration says so", by)


def _price(edit: Edit) -> str:
    return f"the price of {edit}"


def _incident(at: float, kind: str, about: str, text: str, cause: str, by: str) -> Incident:
    return Incident(at, kind, _line(about), _line(text), _line(cause), by)


def _line(text: str) -> str:
    """A text as one line that any store can keep: no control signs, no halves of characters, not too long."""
    whole = text.encode(errors="replace").decode()
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in whole).split())
    return line if len(line) <= _MOST_LETTERS else f"{line[: _MOST_LETTERS - 1]}…"
