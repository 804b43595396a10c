"""What is the case, and what of it is told: once as it begins, once as it is over, and seldom in between."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from banditroute.records import Alert, AlertState

from .settings import Kind

_ID_LETTERS = 16


class Finding(NamedTuple):
    """Something that is the case, or has happened.

    Attributes:
        kind: what it is.
        about: whom it concerns: what goes on is known by both.
        text: what is the case; cause: why; over: what will be the case once it is over.
        level: how grave it is: more is told anew, and less is over.
        word: what the alert calls its kind; empty = as it is.
        which: of several that follow each other, such as a cap's windows; another one begins anew.
    """

    kind: Kind
    about: str
    text: str
    cause: str
    over: str = ""
    level: float = 1.0
    word: str = ""
    which: str = ""


@dataclass(slots=True)
class _Going:
    """Something that goes on."""

    finding: Finding
    began_at: float
    told_at: float | None  # None: what is left of something graver, whose end was told


class Register:
    """Knows what goes on; no clock, one owner.

    Of one (kind, about) no level is told to have begun twice without something having been told to be over in between.

    Args:
        repeat_s: how often what goes on is told again, and how often the same may happen and be told; 0 = never again.
    """

    def __init__(self, repeat_s: float) -> None:
        self.repeat_s = repeat_s
        self._going: dict[tuple[Kind, str], _Going] = {}
        self._happened: dict[tuple[Kind, str, str], float] = {}  # when each was told last

    def update(self, kinds: Iterable[Kind], findings: Iterable[Finding], now: float) -> list[Alert]:
        """Takes in all that is the case of some kinds; what to tell of it, ends before beginnings."""
        found: dict[tuple[Kind, str], Finding] = {(each.kind, each.about): each for each in findings}
        kinds = frozenset(kinds)
        gone = [key for key in self._going if key[0] in kinds and key not in found]
        alerts = [alert for key in gone for alert in self._end(key, now)]
        for key, finding in found.items():
            alerts.extend(self._goes_on(key, finding, now))
        return alerts

    def happened(self, finding: Finding, now: float) -> list[Alert]:
        """Takes in something that has no end; what to tell of it, nothing where the same was told not long ago."""
        key = finding.kind, finding.about, finding.which
        told_at = self._happened.get(key)
        if told_at is not None and (not self.repeat_s or now - told_at < self.repeat_s):
            return []
        self._happened[key] = now
        return [_alert(finding, "happened", now, now)]

    @property
    def going_on(self) -> tuple[Finding, ...]:
        """What goes on, in the order in which it began."""
        return tuple(each.finding for each in self._going.values())

    def _goes_on(self, key: tuple[Kind, str], finding: Finding, now: float) -> Iterator[Alert]:
        going = self._going.get(key)
        if going is not None and finding.which != going.finding.which:
            yield from self._end(key, now)
            going = None
        if going is None or finding.level > going.finding.level:
            self._going[key] = _Going(finding, now, now)
            yield _alert(finding, "began", now, now)
        elif finding.level < going.finding.level:
            yield from self._end(key, now)
            self._going[key] = _Going(finding, now, None)
        else:
            going.finding = finding
            if self.repeat_s and going.told_at is not None and now - going.told_at >= self.repeat_s:
                going.told_at = now
                yield _alert(finding, "goes on", now, going.began_at)

    def _end(self, key: tuple[Kind, str], now: float) -> Iterator[Alert]:
        going = self._going.pop(key)
        if going.told_at is not None:
            yield _alert(going.finding, "over", now, going.began_at)


def _alert(finding: Finding, state: AlertState, now: float, began_at: float) -> Alert:
    text, cause = (finding.over or finding.text, "") if state == "over" else (finding.text, finding.cause)
    kind = finding.word or finding.kind
    return Alert(_id(kind, finding, began_at), now, kind, finding.about, state, text, cause, began_at)


def _id(kind: str, finding: Finding, began_at: float) -> str:
    """The same for all that is told of one thing, and in every process that tells it."""
    name = "\n".join((kind, finding.about, f"{finding.level}", f"{began_at:.3f}"))
    return hashlib.sha256(name.encode()).hexdigest()[:_ID_LETTERS]
