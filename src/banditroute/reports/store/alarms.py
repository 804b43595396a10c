"""Alarms in words: what a signal is called, how its values are written, how sure it is that it changed."""

from __future__ import annotations

from banditroute.records import Alarm
from banditroute.reports import format as form

_NAMES = {
    "quality": "quality",
    "output_tokens": "tokens of an answer",
    "latency_s": "time to the answer",
    "ttft_s": "time to the first token",
    "price": "price, to the catalog's",
}
_SURE = 0.999_995  # beyond it one more nine tells nobody anything


def signal_of(alarm: Alarm) -> str:
    """What has changed, as people call it."""
    return _NAMES.get(alarm.signal, alarm.signal)


def before_and_after(alarm: Alarm) -> tuple[str, str]:
    """What was expected, and what it is estimated to be now."""
    return _written(alarm.signal, alarm.before), _written(alarm.signal, alarm.after)


def confidence_of(alarm: Alarm) -> str:
    """How sure it is, as a percent; it is never certain."""
    return ">99.999%" if alarm.confidence >= _SURE else f"{alarm.confidence:.3%}"


def _written(signal: str, value: float) -> str:
    if signal == "quality":
        return form.quality(value)
    if signal == "output_tokens":
        return form.count(round(value))
    return f"{value:.3g}x" if signal == "price" else form.seconds(value)
