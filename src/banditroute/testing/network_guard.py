"""No network by accident: connections that leave this machine fail at once, with an error that says so.

What goes through Python's sockets is held, so all of asyncio, aiohttp, httpx and requests; a loop of uvloop's, and
whatever else opens its sockets in C, is not.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

_LOCAL_NAMES = frozenset({"", "localhost", "localhost.localdomain", "ip6-localhost"})


class NetworkBlockedError(RuntimeError):
    """Something tried to reach another machine.

    It is no OSError, so that nothing takes it for a server that is down, and tries again or elsewhere.
    """

    def __init__(self, where: str) -> None:
        super().__init__(
            f"a connection to {where} was blocked: this test may only reach the machine it runs on; "
            "script the answer (bandit_router), replay a recorded one (@pytest.mark.bandit_recorded), or let the test "
            "do without no_network"
        )
        self.where = where


@contextmanager
def network_blocked() -> Generator[None]:
    """Has every connection fail that does not stay on this machine, and every look-up of another one's name.

    For the whole process, until the block ends. Names are looked up by `socket.getaddrinfo`; by older functions they
    still are.
    """
    held = {name: getattr(socket.socket, name) for name in ("connect", "connect_ex", "sendto")}
    look_up = socket.getaddrinfo

    def connect(self: socket.socket, address: Any) -> Any:
        _check(self, address)
        return held["connect"](self, address)

    def connect_ex(self: socket.socket, address: Any) -> Any:
        _check(self, address)
        return held["connect_ex"](self, address)

    def sendto(self: socket.socket, data: Any, *rest: Any) -> Any:
        _check(self, rest[-1])
        return held["sendto"](self, data, *rest)

    def getaddrinfo(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        if not _is_local(host):
            raise NetworkBlockedError(_place(host, port))
        return look_up(host, port, *args, **more)

    try:
        for function in (connect, connect_ex, sendto):
            setattr(socket.socket, function.__name__, function)
        socket.getaddrinfo = getaddrinfo
        yield
    finally:
        for name, function in held.items():
            setattr(socket.socket, name, function)
        socket.getaddrinfo = look_up


def _check(used: socket.socket, address: Any) -> None:
    """Raises where an address is another machine's; a path or a descriptor of the kernel's is not."""
    if used.family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address[0]):
        raise NetworkBlockedError(_place(address[0], address[1]))


def _is_local(host: Any) -> bool:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name is None or name.lower() in _LOCAL_NAMES:
        return True
    try:
        found = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None) or found
    return mapped.is_loopback or mapped.is_unspecified


def _place(host: Any, port: Any) -> str:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    return f"{name}:{port}" if port else str(name)
