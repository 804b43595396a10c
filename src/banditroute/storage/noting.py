"""The table of incidents: what happened, the newest of it; the same incident twice is one."""

from __future__ import annotations

import sqlite3

from banditroute.records import Incident

from .codec import incident_json, incident_of
from .connecting import transaction

KEPT = 10_000
"""How many a store keeps: the newest."""

_NOTE = "INSERT INTO incident (at, incident) VALUES (?, ?) ON CONFLICT DO NOTHING"
_FORGET = "DELETE FROM incident WHERE at < (SELECT at FROM incident ORDER BY at DESC LIMIT 1 OFFSET ?)"
_NEWEST = "SELECT incident FROM incident WHERE at >= ? ORDER BY at DESC LIMIT ?"


def note(connection: sqlite3.Connection, incident: Incident) -> int:
    """Writes an incident; returns how many were written."""
    with transaction(connection):
        written = connection.execute(_NOTE, (incident.at, incident_json(incident))).rowcount
        connection.execute(_FORGET, (KEPT - 1,))
    return written


def noted(connection: sqlite3.Connection, since: float, limit: int) -> list[Incident]:
    """The newest incidents from an instant on, newest first.

    Raises:
        StoreError: a row is damaged.
    """
    return [incident_of(text) for (text,) in connection.execute(_NEWEST, (since, max(limit, 0)))]
