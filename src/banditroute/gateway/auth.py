"""Who may ask: keys, each on behalf of a tenant and with bounds of its own, or anybody on this machine."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address
from typing import Protocol

from yarl import URL

from banditroute.config.values import GatewayConfig, GatewayKey
from banditroute.errors import ConfigError
from banditroute.gateway.refusals import RefusedError, refused
from banditroute.storage.protocol import StoredKey

KEY_BEGINNING = "br"

_BEARER = "bearer "


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what they may.

    Attributes:
        name: what logs call them; never the key.
        tenant: on whose behalf they ask; empty = their requests say.
        models: what may answer them; empty = every model.
        tasks: task classes of which their requests name one; empty = any, or none.
        requests_per_minute: how often they may ask; None = any number of times.
        admin: whether they may read every tenant's decisions, and throw switches.
    """

    name: str = ""
    tenant: str = ""
    models: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    requests_per_minute: float | None = None
    admin: bool = False

    def sees(self, tenant: str) -> bool:
        """Whether what was decided on behalf of a tenant is theirs to read and to judge."""
        return self.admin or self.tenant in ("", tenant)


NEIGHBOUR = Caller(admin=True)
"""Whoever is on this machine, where no key is asked for."""


class Doorkeeper(Protocol):
    """Lets callers in."""

    def admit(self, headers: Mapping[str, str]) -> Caller:
        """Who asks.

        Raises:
            RefusedError: it is nobody known.
        """
        ...

    def follow(self, made: Iterable[StoredKey]) -> None:
        """Goes by the keys that were made by now, revoked ones among them."""
        ...


@dataclass(frozen=True, slots=True)
class _Known:
    digest: bytes = field(repr=False)
    caller: Caller


class KeyDoorkeeper:
    """Lets in who shows a key; it keeps hashes of the keys, and compares in a time that does not tell how near one is.

    Args:
        keys: each secret of the environment with whose it is.
        made: keys that are kept in the store.
    """

    def __init__(self, keys: Mapping[str, Caller], made: Iterable[StoredKey] = ()) -> None:
        self._named = tuple(_Known(digest_of(secret), caller) for secret, caller in keys.items())
        self._made: Mapping[str, _Known] = {}
        self.follow(made)

    def follow(self, made: Iterable[StoredKey]) -> None:
        """Goes by the keys that were made by now; revoked ones are not let in."""
        self._made = {key.key_id: _Known(key.digest, caller_of(key)) for key in made if key.revoked_at is None}

    def admit(self, headers: Mapping[str, str]) -> Caller:
        """Whose key is shown, as a bearer token or as x-api-key.

        Raises:
            RefusedError: none, or an unknown one.
        """
        shown = _shown(headers)
        if not shown:
            raise _unauthorized("no API key; send it as Authorization: Bearer, or as x-api-key")
        digest, found = digest_of(shown), None
        made = self._made.get(key_id_of(shown))
        for known in (*self._named, made):  # all of them, so that the time does not tell which one it was
            if known is not None and hmac.compare_digest(known.digest, digest):
                found = known.caller
        if found is None:
            raise _unauthorized("the API key is not known")
        return found


class LoopbackDoorkeeper:
    """Lets in whoever is on this machine, but no web page that a browser on it happens to show."""

    def admit(self, headers: Mapping[str, str]) -> Caller:
        """The neighbour.

        Raises:
            RefusedError: the request was made by a page of another site.
        """
        host, origin = headers.get("Host", ""), headers.get("Origin")
        if not _is_here(host):
            raise refused(
                403, f"without keys only this machine's own names are served, not {host[:80]!r}", "foreign_host"
            )
        if origin is not None and origin.partition("//")[2] != host:
            raise refused(403, "without keys no page of another site is served", "foreign_origin")
        return NEIGHBOUR

    def follow(self, made: Iterable[StoredKey]) -> None:
        """Nobody is asked for a key, whichever there are."""


def doorkeeper_of(config: GatewayConfig, environ: Mapping[str, str], made: Sequence[StoredKey] = ()) -> Doorkeeper:
    """The doorkeeper that a configuration asks for, who knows the keys that were made as well.

    Raises:
        ConfigError: there is no key, one's variable is not set, or two keys are the same.
    """
    if config.auth == "none":
        return LoopbackDoorkeeper()
    if not config.keys and all(key.revoked_at is not None for key in made):
        raise ConfigError(
            'auth = "keys" and there is no key: nobody could ask',
            remedy='run `banditroute keys create`, add [[gateway.keys]], or set auth = "none" for this machine alone',
            field="gateway.keys",
        )
    keys: dict[str, Caller] = {}
    for key in config.keys:
        secret = environ.get(key.key_env, "").strip()
        if not secret:
            problem = f"environment variable {key.key_env} of key {key.name!r} is not set or empty"
            raise ConfigError(problem, remedy="export it, or take the key out", field="gateway.keys.key_env")
        if secret in keys:
            problem = f"keys {keys[secret].name!r} and {key.name!r} are the same"
            raise ConfigError(problem, remedy="give each client a key of its own", field="gateway.keys")
        keys[secret] = caller_of(key)
    return KeyDoorkeeper(keys, made)


def caller_of(key: GatewayKey | StoredKey) -> Caller:
    """Who shows a key."""
    return Caller(key.name, key.tenant, key.models, key.tasks, key.requests_per_minute, key.admin)


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine's own, that nobody else can reach."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


@lru_cache(maxsize=64)
def _is_here(host_header: str) -> bool:
    try:
        return is_loopback(URL(f"//{host_header}").host or "")
    except ValueError:
        return False


def _shown(headers: Mapping[str, str]) -> str:
    bearer = headers.get("Authorization", "")
    if bearer[: len(_BEARER)].lower() == _BEARER:
        return bearer[len(_BEARER) :].strip()
    return headers.get("x-api-key", "").strip()


def key_id_of(shown: str) -> str:
    """The part of a key that says which one it is; empty where it was not made by `new_key`."""
    beginning, _, rest = shown.partition("-")
    return rest.partition("-")[0] if beginning == KEY_BEGINNING else ""


def digest_of(secret: str) -> bytes:
    """What is kept of a key. It is random and long, so that no slow hash is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def _unauthorized(problem: str) -> RefusedError:
    return refused(401, problem, "invalid_api_key")
