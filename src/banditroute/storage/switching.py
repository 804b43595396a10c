"""The table of switches: how each was thrown last."""

from __future__ import annotations

import sqlite3

from .connecting import transaction
from .protocol import Switch

_KEEP = "INSERT OR REPLACE INTO switches (name, value, at, configured) VALUES (?, ?, ?, ?)"
_KEPT = "SELECT name, value, at, configured FROM switches ORDER BY name"


def keep(connection: sqlite3.Connection, switch: Switch) -> int:
    """Writes a switch in the place of how it stood before; returns how many were written."""
    with transaction(connection):
        connection.execute(_KEEP, (switch.name, switch.value, switch.at, switch.configured))
    return 1


def kept(connection: sqlite3.Connection) -> list[Switch]:
    """Every switch."""
    return [Switch(*row) for row in connection.execute(_KEPT)]
