"""Where a server is: one server, one that sentinels know, or a cluster; by its URL, which may hold a password."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from banditroute.errors import ConfigError

_ONE = ("redis", "rediss", "unix")
_MANY = ("redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster")
_DEFAULT_PORT = {"sentinel": 26379, "cluster": 6379}
_REMEDY = (
    "write redis://HOST:6379/0, rediss:// for TLS, unix:///PATH, redis+cluster://HOST:6379 or "
    "redis+sentinel://HOST:26379,HOST:26379/SERVICE"
)


class Host(NamedTuple):
    """One server's name and port."""

    name: str
    port: int


class Address(NamedTuple):
    """Where a server is.

    Attributes:
        url: as redis-py takes it, where it is one server or a cluster.
        shown: the same without user, password and options, for messages.
        way: how it is found.
        hosts: the sentinels; service: what they call the server.
        options: of the connections to what sentinels know.
    """

    url: str
    shown: str
    way: str = "one"
    hosts: tuple[Host, ...] = ()
    service: str = ""
    options: tuple[tuple[str, str | int | bool], ...] = ()


def address_of(url: str) -> Address:
    """The address that a URL writes.

    Raises:
        ConfigError: it is none; the message holds no password.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme in _ONE:
            return _one(url, parts)
        if parts.scheme in _MANY:
            return _cluster(url, parts) if parts.scheme.endswith("cluster") else _sentinels(parts)
    except ConfigError:
        raise
    except ValueError:  # a port that is no number, a bracket that is not closed
        raise _refused("the URL of the store cannot be read") from None
    raise _refused(f"a store's URL cannot begin with {parts.scheme!r}" if parts.scheme else "the store has no URL")


def _one(url: str, parts: SplitResult) -> Address:
    if parts.scheme == "unix":
        if not parts.path:
            raise _refused("the URL of the store names no socket")
        return Address(url, f"unix://{parts.path}")
    if not parts.hostname:
        raise _refused("the URL of the store names no host")
    database = parts.path.strip("/")
    if database and not database.isdigit():
        raise _refused(f"{database!r} is no number of a database")
    return Address(url, f"{parts.scheme}://{parts.hostname}:{parts.port or 6379}/{database or 0}")


def _cluster(url: str, parts: SplitResult) -> Address:
    if not parts.hostname:
        raise _refused("the URL of the store names no host")
    scheme = parts.scheme.removesuffix("+cluster")
    shown = f"{parts.scheme}://{parts.hostname}:{parts.port or _DEFAULT_PORT['cluster']}"
    return Address(url.replace(parts.scheme, scheme, 1), shown, "cluster")


def _sentinels(parts: SplitResult) -> Address:
    user, _, listed = parts.netloc.rpartition("@")
    hosts = tuple(_host(each) for each in listed.split(",") if each)
    service, _, database = parts.path.strip("/").partition("/")
    if not hosts or not service:
        raise _refused("the URL of the store names no sentinel or no service")
    name, _, password = user.partition(":")
    query = dict(parse_qsl(parts.query))
    options: dict[str, str | int | bool] = {"db": int(database or query.get("db", 0))}
    options |= {"username": unquote(name)} if name else {}
    options |= {"password": unquote(password)} if password else {}
    options |= {"ssl": True} if parts.scheme.startswith("rediss") else {}
    shown = f"{parts.scheme}://{','.join(f'{host.name}:{host.port}' for host in hosts)}/{service}"
    return Address("", shown, "sentinel", hosts, service, tuple(options.items()))


def _host(text: str) -> Host:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise _refused("the URL of the store names no sentinel")
    return Host(parts.hostname, parts.port or _DEFAULT_PORT["sentinel"])


def _refused(problem: str) -> ConfigError:
    return ConfigError(problem, remedy=_REMEDY, field="store.url")
