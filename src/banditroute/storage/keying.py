"""The table of gateway keys: hashes, never the keys themselves."""

from __future__ import annotations

import sqlite3

from .codec import names_json, names_of
from .connecting import transaction
from .protocol import StoredKey

_COLUMNS = "key_id, name, digest, tenant, models, tasks, requests_per_minute, admin, created_at, revoked_at"
_KEEP = f"INSERT OR REPLACE INTO gateway_key ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_KEPT = f"SELECT {_COLUMNS} FROM gateway_key ORDER BY created_at, key_id"


def keep(connection: sqlite3.Connection, key: StoredKey) -> int:
    """Writes a key in the place of what was kept of it before; returns how many were written."""
    row = (
        key.key_id,
        key.name,
        key.digest,
        key.tenant,
        names_json(key.models),
        names_json(key.tasks),
        key.requests_per_minute,
        int(key.admin),
        key.created_at,
        key.revoked_at,
    )
    with transaction(connection):
        connection.execute(_KEEP, row)
    return 1


def kept(connection: sqlite3.Connection) -> list[StoredKey]:
    """Every key, oldest first.

    Raises:
        StoreError: a row is damaged.
    """
    return [
        StoredKey(
            key_id,
            name,
            digest,
            tenant,
            names_of(models),
            names_of(tasks),
            rate,
            bool(admin),
            created_at,
            revoked_at,
        )
        for key_id, name, digest, tenant, models, tasks, rate, admin, created_at, revoked_at in connection.execute(
            _KEPT
        )
    ]
