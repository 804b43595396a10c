"""Which server a store is on: checked where the file says so, and read from the environment where that holds it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from banditroute.config.values import StoreConfig
from banditroute.errors import ConfigError
from banditroute.storage.postgres.address import Place
from banditroute.storage.redis.address import address_of
from banditroute.storage.redis.namespace import Namespace

_SERVERS = ("redis", "postgres")
_ANY_URL = "postgresql://"


def check_server(kind: str, url: str, url_env: str, namespace: str) -> None:
    """Makes sure that a store on a server says where that is, and that no password stands in the file.

    Raises:
        ConfigError: it does not, or one does.
    """
    if kind not in _SERVERS:
        return
    if bool(url) == bool(url_env):
        problem = "is given together with url_env" if url else f"kind = {kind!r} needs it"
        raise ConfigError(problem, remedy="write url, or url_env where the URL holds a password", field="url")
    if url:
        _check_url(kind, url)
    try:
        Place(_ANY_URL, namespace) if kind == "postgres" else Namespace(namespace)
    except ConfigError as error:
        raise ConfigError(error.problem, remedy=error.remedy, field="namespace") from None


def check_log(kind: str, log: str, url: str, url_env: str, namespace: str) -> None:
    """Makes sure that a log which is kept apart says where, beside a store that can have one.

    Raises:
        ConfigError: it does not, or a password stands in the file, or there is no such log.
    """
    if kind not in _SERVERS:
        return
    if not log:
        if url or url_env:
            remedy = 'write log = "postgres" too'
            raise ConfigError("nothing is kept there", remedy=remedy, field="log_url" if url else "log_url_env")
        return
    if kind != "redis":
        raise ConfigError(f"kind = {kind!r} keeps its log itself", remedy='write kind = "redis"', field="log")
    if bool(url) == bool(url_env):
        problem = "is given together with log_url_env" if url else f"log = {log!r} needs it"
        remedy = "write log_url, or log_url_env where the URL holds a password"
        raise ConfigError(problem, remedy=remedy, field="log_url")
    if url:
        _check_url(log, url, "log_url")
    try:
        Place(_ANY_URL, namespace)
    except ConfigError as error:
        raise ConfigError(error.problem, remedy=error.remedy, field="namespace") from None


def server_url(store: StoreConfig, environ: Mapping[str, str]) -> str:
    """The URL of a store's server.

    Raises:
        ConfigError: its environment variable is not set.
    """
    return _found(store.url, store.url_env, environ, "url")


def log_url(store: StoreConfig, environ: Mapping[str, str]) -> str:
    """The URL of the server that has a store's log.

    Raises:
        ConfigError: its environment variable is not set.
    """
    return _found(store.log_url, store.log_url_env, environ, "log_url")


def _found(url: str, variable: str, environ: Mapping[str, str], key: str) -> str:
    if not variable:
        return url
    found = environ.get(variable, "").strip()
    if not found:
        problem = f"environment variable {variable} is not set"
        raise ConfigError(problem, remedy=f"export it, or write store.{key}", field=f"store.{key}_env")
    return found


def _check_url(kind: str, url: str, key: str = "url") -> None:
    try:
        Place(url) if kind == "postgres" else address_of(url)
    except ConfigError as error:
        raise ConfigError(error.problem, remedy=error.remedy, field=key) from None
    if urlsplit(url).password or "password" in urlsplit(url).query:
        remedy = f"put the URL into an environment variable and write {key}_env = its name"
        raise ConfigError("the URL holds a password (not shown)", remedy=remedy, field=key)
