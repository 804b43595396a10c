"""The table of gateway keys: hashes, never the keys themselves."""

from __future__ import annotations

import sqlite3

import orjson

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
        orjson.dumps(key.models).decode(),
        orjson.dumps(key.tasks).decode(),
        key.requests_per_minute,
        int(key.admin),
        key.created_at,
        key.revoked_at,
    )
    with transaction(connection):
        connection.execute(_KEEP, row)
    return 1


def kept(connection: sqlite3.Connection) -> list[StoredKey]:
    """Every key, oldest first."""
    return [
        StoredKey(
            key_id,
            name,
            digest,
            tenant,
            tuple(orjson.loads(models)),
            tuple(orjson.loads(tasks)),
            rate,
            bool(admin),
            created_at,
            revoked_at,
        )
        for key_id, name, digest, tenant, models, tasks, rate, admin, created_at, revoked_at in connection.execute(
            _KEPT
        )
    ]
