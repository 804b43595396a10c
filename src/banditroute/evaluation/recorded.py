"""A decision log straight from a router's store: the rows that an export would hold, by the same rules."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import orjson

from banditroute.errors import InputError
from banditroute.records import Json
from banditroute.simulation.values import Place

from . import loading
from .beside import Beside, beside_of_row
from .loading import LoadedLog
from .log_rows import parse
from .shadow import by_shadow


def log_of(rows: Iterable[Json], name: str, *, policy: str | None = None, leave_out: bool = False) -> LoadedLog:
    """The log that rows make, each as `storage.decision_log.log_row` writes it.

    Args:
        rows: decisions with an outcome, in the order of the store.
        name: what to call the log.
        policy: only rows that this policy logged.
        leave_out: set rows aside that cannot be evidence, instead of refusing the log.

    Raises:
        InputError: there is no row, none was logged by the policy, or rows cannot be evidence and may not be left out.
    """
    places = ((Place(name, number), row) for number, row in enumerate(rows, start=1))
    placed = [loading._Placed(place, parse(orjson.dumps(row).decode(), place)) for place, row in places]
    if not placed:
        raise InputError("no decision has an outcome yet", remedy="let the router answer requests first", path=name)
    placed = placed if policy is None else loading._of_policy(placed, policy)
    sound, flawed = loading._sorted_out(placed)
    if flawed and not leave_out:
        raise loading._refusal(flawed, len(placed), name)
    if not sound:
        raise InputError("no row is left that could be evidence", path=name)
    loading._check_features(sound)
    log = loading._tabulated(name, [row for _, row in sound])
    return LoadedLog(log, tuple(replace(each, first_line=None) for each in loading._summed_up(flawed)))


def besides_of(rows: Iterable[Json]) -> dict[str, list[Beside]]:
    """The decisions that each shadow decided on too, by its name."""
    found = (beside_of_row(row) for row in rows)
    return by_shadow(each for each in found if each is not None)
