"""Who is on a store that ends with its process: the same as a database keeps, in dictionaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .protocol import Window
from .sharing import Ask, Grant, OpenCircuit, Report, granted_usd


class _Lease(NamedTuple):
    usd: float
    until: float


class _Circuit(NamedTuple):
    until: float
    why: str


class Roster:
    """Holders in the order in which they joined, their leases, and the models that they find not to answer."""

    def __init__(self) -> None:
        self._alive: dict[str, float] = {}
        self._leases: dict[tuple[Window, str], _Lease] = {}
        self._circuits: dict[tuple[str, str], _Circuit] = {}

    @property
    def alive(self) -> Sequence[str]:
        """The names of those that are, those first that have been here longest."""
        return tuple(self._alive)

    def report(self, report: Report, now: float) -> None:
        """Takes in who reports; what time has run out for is gone, and its own leases return until they are granted."""
        self._alive = {name: until for name, until in self._alive.items() if until > now}
        self._leases = {
            key: lease for key, lease in self._leases.items() if lease.until > now and key[1] != report.holder
        }
        self._circuits = {
            key: circuit for key, circuit in self._circuits.items() if circuit.until > now and key[1] != report.holder
        }
        if report.leaving:
            self._alive.pop(report.holder, None)
            return
        self._alive[report.holder] = now + report.alive_s
        for each in report.circuits:
            self._circuits[each.model, report.holder] = _Circuit(now + each.for_s, each.why)

    def grant(self, report: Report, ask: Ask, spent_usd: float, now: float) -> Grant:
        """What is granted of an ask."""
        if report.leaving:
            return Grant(ask.window, 0.0, spent_usd)
        leased_usd = sum(lease.usd for (window, _), lease in self._leases.items() if window == ask.window)
        usd = granted_usd(ask, spent_usd, leased_usd)
        self._leases[ask.window, report.holder] = _Lease(usd, now + report.lease_s)
        return Grant(ask.window, usd, spent_usd)

    def circuits(self, holder: str, now: float) -> tuple[OpenCircuit, ...]:
        """The models that others find not to answer, each for the longest that anybody says."""
        longest: dict[str, _Circuit] = {}
        for (model, its), circuit in self._circuits.items():
            if its != holder and (model not in longest or circuit.until > longest[model].until):
                longest[model] = circuit
        return tuple(_told(longest, model, now) for model in sorted(longest))


def _told(circuits: Mapping[str, _Circuit], model: str, now: float) -> OpenCircuit:
    return OpenCircuit(model, circuits[model].until - now, circuits[model].why)
