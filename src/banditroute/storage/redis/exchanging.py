"""An exchange as a command, and what its reply tells."""

from __future__ import annotations

from typing import Any

import orjson

from banditroute.storage.packing import unpacked
from banditroute.storage.sharing import Ask, Grant, News, OpenCircuit, Report

from .namespace import Namespace
from .operations import Operation
from .scripts import telling
from .wording import Argument, edge_of, listed, named, paid_of, sums_of


def exchange(namespace: Namespace, report: Report) -> Operation:
    """Takes in what a process tells; its news."""
    return Operation(telling(namespace, "exchange", *parts_of(report)), NewsOf(report), kept=False)


def parts_of(report: Report) -> list[Argument]:
    """A report, as scripts are told it."""
    return [
        report.holder,
        float(report.alive_s),
        float(report.lease_s),
        report.known,
        int(report.leaving),
        *listed([_asked(ask) for ask in report.asks]),
        *listed([(named(open_.model), float(open_.for_s), named(open_.why)) for open_ in report.circuits]),
    ]


def _asked(ask: Ask) -> tuple[bytes | float, ...]:
    return named(*ask.window), float(ask.cap_usd), float(ask.held_usd), float(ask.wanted_usd)


class NewsOf:
    """Reads the reply to a report."""

    def __init__(self, report: Report) -> None:
        self._asks = report.asks

    def __call__(self, reply: list[Any]) -> News:
        """The news.

        Raises:
            StoreError: sums are damaged.
        """
        version, evidence, paid, grants, others, circuits, on_duty = reply
        return News(
            int(version),
            {edge_of(edge): unpacked(sums_of(data)) for edge, data in evidence if data is not None},
            paid_of(paid),
            tuple(_grant(*each) for each in zip(self._asks, grants, strict=True)),
            tuple(sorted(other.decode() for other in others)),
            _circuits(circuits),
            bool(on_duty),
        )


def _grant(ask: Ask, found: list[bytes]) -> Grant:
    usd, spent_usd = found
    return Grant(ask.window, float(usd), float(spent_usd))


def _circuits(found: list[list[bytes]]) -> tuple[OpenCircuit, ...]:
    """Each model once, as whoever gives it the longest has it."""
    longest: dict[str, OpenCircuit] = {}
    for model, for_s, why in found:
        circuit = OpenCircuit(orjson.loads(model)[0], float(for_s), orjson.loads(why)[0])
        known = longest.get(circuit.model)
        if known is None or known.for_s < circuit.for_s:
            longest[circuit.model] = circuit
    return tuple(longest[model] for model in sorted(longest))
