"""Keys that are made for clients: shown once, kept as hashes."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from banditroute.errors import InputError, meant
from banditroute.gateway.auth import KEY_BEGINNING, digest_of
from banditroute.storage.protocol import StoredKey

_ID_BYTES = 6
_SECRET_BYTES = 32


class NewKey(NamedTuple):
    """A key that was just made: the secret, which nobody can show again, and what is kept of it."""

    secret: str
    stored: StoredKey


def new_key(
    name: str,
    now: float,
    *,
    tenant: str = "",
    models: Sequence[str] = (),
    tasks: Sequence[str] = (),
    requests_per_minute: float | None = None,
    admin: bool = False,
) -> NewKey:
    """A key of 256 random bits; now is in seconds since the epoch."""
    key_id = secrets.token_hex(_ID_BYTES)
    secret = f"{KEY_BEGINNING}-{key_id}-{secrets.token_urlsafe(_SECRET_BYTES)}"
    stored = StoredKey(
        key_id,
        name,
        digest_of(secret),
        tenant,
        tuple(models),
        tuple(tasks),
        requests_per_minute,
        admin,
        created_at=now,
    )
    return NewKey(secret, stored)


def check_new_name(name: str, kept: Iterable[StoredKey], named: Iterable[str]) -> None:
    """Returns if no key that is in use has the name.

    Raises:
        InputError: one has; or it is empty.
    """
    if not name.strip():
        raise InputError("a key needs a name", field="name")
    if name in named or any(key.name == name and key.revoked_at is None for key in kept):
        raise InputError(f"a key is named {name!r} already", remedy="choose another, or revoke it first", field="name")


def revoked(name: str, kept: Sequence[StoredKey], now: float) -> StoredKey:
    """The key of that name, refused from now on.

    Raises:
        InputError: no key that is in use has the name.
    """
    used = [key for key in kept if key.revoked_at is None]
    for key in used:
        if key.name == name:
            return replace(key, revoked_at=now)
    remedy = f"{meant(name, [key.name for key in used])}`banditroute keys list` shows them"
    raise InputError(f"no key in use is named {name!r}", remedy=remedy, field="name")
