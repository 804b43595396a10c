"""What happened to the routers on a store, in order: incidents as they were noted, and models that changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from banditroute.records import Alarm, Incident
from banditroute.reports import format as write
from banditroute.reports.store.alarms import before_and_after, confidence_of, signal_of
from banditroute.storage.protocol import StoreReader

_MOST = 10_000
_SAME_S = 30.0  # what is noted again so soon, by several processes perhaps, is one thing
_AFTER = {"price": 1, "alert": 2}  # of one instant: what comes after its cause


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened, in words.

    Attributes:
        at: when, seconds since the epoch.
        kind: what it was, in one word; about: whom it concerns; text: what happened; cause: why, where that is known.
        times: how often it was noted at about that time.
    """

    at: float
    kind: str
    about: str
    text: str
    cause: str
    times: int = 1


async def timeline(store: StoreReader, since: float) -> tuple[Moment, ...]:
    """What happened from an instant on, oldest first: the newest 10,000 incidents and as many alarms.

    Raises:
        StoreError: the store cannot be read.
    """
    incidents, alarms = await store.incidents(since, _MOST), await store.alarms(_MOST)
    changed = (_changed(alarm) for alarm in alarms if alarm.at >= since)
    found = sorted((*map(_moment, incidents), *changed), key=lambda each: (each.at, _AFTER.get(each.kind, 0)))
    return tuple(_once(found))


def _moment(incident: Incident) -> Moment:
    return Moment(incident.at, incident.kind, incident.about, incident.text, incident.cause)


def _changed(alarm: Alarm) -> Moment:
    before, after = before_and_after(alarm)
    where = f" in {alarm.task}" if alarm.task else ""
    text = f"{alarm.model} changed: {signal_of(alarm)}{where} from {before} to {after}"
    cause = f"{write.plural(alarm.seen, 'observation')} say so, {confidence_of(alarm)} sure"
    return Moment(alarm.at, "changed", alarm.model, text, cause)


def _once(found: Iterable[Moment]) -> list[Moment]:
    """The same with what was noted again soon once."""
    moments: list[Moment] = []
    places: dict[tuple[str, str, str, str], int] = {}
    for each in found:
        key = each.kind, each.about, each.text, each.cause
        place = places.get(key)
        if place is not None and each.at - moments[place].at < _SAME_S and each.kind != "circuit":
            known = moments[place]
            moments[place] = Moment(known.at, *key, times=known.times + 1)
        else:
            places[key] = len(moments)
            moments.append(each)
    return moments
