"""Switches and the gateway's keys as JSON and back."""

from __future__ import annotations

from typing import Any

import orjson

from banditroute.errors import StoreError
from banditroute.storage.protocol import StoredKey, Switch


def switch_bytes(switch: Switch) -> bytes:
    """A switch."""
    return orjson.dumps((switch.name, switch.value, switch.at, switch.configured))


def switch_of(data: bytes) -> Switch:
    """The switch that was written.

    Raises:
        StoreError: it is none.
    """
    return Switch(*_read(data))


def key_bytes(key: StoredKey) -> bytes:
    """A key of the gateway; its digest in hexadecimal digits."""
    return orjson.dumps(
        (
            key.key_id,
            key.name,
            key.digest.hex(),
            key.tenant,
            key.models,
            key.tasks,
            key.requests_per_minute,
            key.admin,
            key.created_at,
            key.revoked_at,
        )
    )


def key_of(data: bytes) -> StoredKey:
    """The key that was written.

    Raises:
        StoreError: it is none.
    """
    key_id, name, digest, tenant, models, tasks, *rest = _read(data)
    return StoredKey(key_id, name, bytes.fromhex(digest), tenant, tuple(models), tuple(tasks), *rest)


def _read(data: bytes) -> list[Any]:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise StoreError(f"a row holds no record: {data[:60]!r} ({error}); the store is damaged") from error
