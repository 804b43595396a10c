"""The switches of a router: what its file says of them, and what was said since."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from banditroute.routing.paced import PaceRecord
from banditroute.routing.rules import Rule
from banditroute.routing.steering import Steering

from .settings import GuardSettings
from .switches import Frozen, OneModel

SwitchName = Literal["only", "freeze"]
OFF = ""
FROZEN = "exploration"
_ORDER = ("freeze", "only")  # who is asked last has the last word


@dataclass(frozen=True, slots=True)
class Switch:
    """A switch as it was thrown.

    Attributes:
        name: which.
        value: what to: a model, or what is frozen; empty = off.
        at: when, seconds since the epoch.
        configured: what the configuration said then; once it says otherwise, what it says was said last.
    """

    name: str
    value: str
    at: float
    configured: str = OFF


class Switchboard:
    """Throws switches by adding rules to a decider's and taking them away; one owner.

    Args:
        steering: the rules.
        settings: what the configuration says.
    """

    def __init__(self, steering: Steering, settings: GuardSettings) -> None:
        self._steering = steering
        self._configured = _configured(settings)
        self._values = dict.fromkeys(self._configured, OFF)
        self._at = dict.fromkeys(self._configured, -math.inf)
        self._rules: dict[str, Rule] = {}
        self._counted: dict[str, tuple[PaceRecord, ...]] = {}  # by rules that were taken away
        for name, value in self._configured.items():
            self._throw(name, value)

    @property
    def values(self) -> dict[str, str]:
        """How each switch stands."""
        return dict(self._values)

    def thrown(self, name: SwitchName, value: str, now: float) -> Switch:
        """Throws a switch; what is to be kept of it."""
        self._throw(name, value)
        self._at[name] = now
        return Switch(name, value, now, self._configured[name])

    def take_up(self, switch: Switch) -> bool:
        """Throws a switch that was kept, unless it was thrown again since; whether the configuration lets it stand."""
        if self._configured.get(switch.name) != switch.configured:
            return False
        if switch.at > self._at[switch.name]:
            self._throw(switch.name, switch.value)
            self._at[switch.name] = switch.at
        return True

    def as_configured(self, name: str, now: float) -> Switch:
        """What is to be kept in the place of a switch that the configuration overrules."""
        value = self._configured.get(name, OFF)
        return Switch(name, value, now, value)

    def follow(self, steering: Steering, settings: GuardSettings) -> None:
        """Bends another decider's choices; what its configuration says otherwise than the last one was said last."""
        configured = _configured(settings)
        changed = {name: value for name, value in configured.items() if value != self._configured[name]}
        values = self._values | changed
        for name in tuple(self._rules):
            self._take_away(name)
        self._steering, self._configured = steering, configured
        self._values = dict.fromkeys(configured, OFF)
        for name, value in values.items():
            self._throw(name, value)

    def _throw(self, name: str, value: str) -> None:
        if self._values[name] == value:
            return
        self._values[name] = value
        self._take_away(name)
        if value != OFF:
            rule = OneModel(value) if name == "only" else Frozen()
            rule.restore(self._counted.get(name, ()))
            self._rules[name] = rule
        for rule in self._rules.values():
            self._steering.remove(rule)
        for each in _ORDER:
            if each in self._rules:
                self._steering.add(self._rules[each])

    def _take_away(self, name: str) -> None:
        rule = self._rules.pop(name, None)
        if rule is not None:
            self._counted[name] = tuple(rule.records())
            self._steering.remove(rule)


def _configured(settings: GuardSettings) -> dict[str, str]:
    return {"freeze": FROZEN if settings.freeze else OFF, "only": settings.only or OFF}
