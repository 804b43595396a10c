"""Whether models are still what was learned of them: the live detectors, one for every edge and one for every model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from banditroute.learning.drift import AMOUNTS, FLAT, TIMES, Climb, Climbs, Vigilance, false_rate, fell
from banditroute.learning.policy import PolicySettings
from banditroute.records import Alarm

_SIGNALS = ("quality", "output_tokens", "latency_s", "ttft_s")
_WHOLE = -1  # in the place of a class: the model as a whole


class Shift(NamedTuple):
    """A change that was detected, in the signal's own unit.

    Attributes:
        signal: which; task: in which class, None = the model as a whole; arm: of which model.
        before: what was expected when it came to light.
        by: how far the signal has moved.
        seen: observations since it began to.
        chance: how likely noise alone would have raised this alarm, per observation.
        vigilance: the constants of the detector that found it.
    """

    signal: int
    task: int | None
    arm: int
    before: float
    by: float
    seen: float
    chance: float
    vigilance: Vigilance


class Watch:
    """The detectors of every signal; one owner, no clock.

    Args:
        vigilances: constants of each signal's; None = it is not watched.
    """

    def __init__(self, vigilances: Sequence[Vigilance | None]) -> None:
        self._vigilances = tuple(vigilances)
        self._climbs: dict[tuple[int, int, int], Climbs] = {}
        self._fell_at: dict[tuple[int, int], int] = {}
        self._requests = 0

    def take(self, signal: int, task: int, arm: int, expected: float, value: float, var: float) -> list[Shift]:
        """What comes to light with one observation, var being the variance of its residual if nothing has changed."""
        settings = self._vigilances[signal]
        if settings is None:
            return []
        residual = max(value, settings.least) - max(expected, settings.least)
        sd = math.sqrt(max(var, 1e-12))
        shifts: list[Shift] = []
        for where in (_WHOLE, task):
            climbs = self._climbs.get((signal, arm, where), FLAT).after(residual, sd, settings)
            self._climbs[signal, arm, where] = climbs
            highest = climbs.highest
            if highest.height > (settings.threshold if where == _WHOLE else settings.edge_threshold):
                named = None if where == _WHOLE else where
                chance, by = false_rate(_height(highest), settings), float(highest.shift)
                shifts.append(Shift(signal, named, arm, expected, by, float(highest.seen), chance, settings))
                self._begin_anew(signal, arm, where)
                if where == _WHOLE:  # its edges moved with it
                    break
        for shift in shifts:
            if fell(shift.by, settings):
                self._fell_at[signal, arm] = self._requests
            else:
                self._fell_at.pop((signal, arm), None)
        return shifts

    def fading(self, signal: int) -> list[tuple[int, Vigilance]]:
        """The models whose evidence of a signal is to fade a little now, with the constants of its detectors."""
        settings = self._vigilances[signal]
        if settings is None or not self._fell_at or self._requests % settings.probe_every:
            return []
        recent = self._requests - settings.probation_requests
        return [(arm, settings) for (each, arm), at in self._fell_at.items() if each == signal and at > recent]

    def inherit(self, before: Watch, tasks: Mapping[int, int], arms: Mapping[int, int]) -> None:
        """Goes on from where another watch has come to; its classes and models map to those here, or are gone."""
        for (signal, arm, where), climbs in before._climbs.items():
            place = where if where == _WHOLE else tasks.get(where)
            if arm in arms and place is not None:
                self._climbs[signal, arms[arm], place] = climbs
        self._requests = before._requests
        self._fell_at = {(signal, arms[arm]): at for (signal, arm), at in before._fell_at.items() if arm in arms}

    def begin_anew(self, signal: int, arm: int) -> None:
        """Forgets what a model's detectors of a signal have found so far."""
        self._begin_anew(signal, arm, _WHOLE)

    def count(self) -> None:
        """One more request is over."""
        self._requests += 1

    def _begin_anew(self, signal: int, arm: int, where: int) -> None:
        if where != _WHOLE:
            del self._climbs[signal, arm, where]
            return
        for key in [key for key in self._climbs if key[:2] == (signal, arm)]:
            del self._climbs[key]


def vigilances(settings: PolicySettings) -> tuple[Vigilance | None, ...]:
    """How closely each of SIGNALS is watched."""
    if settings.jumps is None:
        return (settings.drift, None, None, None)
    return (settings.drift, AMOUNTS, TIMES, TIMES)


def alarm_of(shift: Shift, models: Sequence[str], tasks: Sequence[str]) -> Alarm:
    """The alarm that a shift raises, in the units that people read."""
    unit = _within_range if shift.signal == 0 else math.exp
    return Alarm(
        at=0.0,
        model=models[shift.arm],
        signal=_SIGNALS[shift.signal],
        task="" if shift.task is None else tasks[shift.task],
        before=unit(shift.before),
        after=unit(shift.before + shift.by),
        seen=int(shift.seen),
        confidence=1.0 - shift.chance,
    )


def _within_range(quality: float) -> float:
    return min(max(quality, 0.0), 1.0)


def _height(climb: Climb) -> float:
    return float(climb.height)
