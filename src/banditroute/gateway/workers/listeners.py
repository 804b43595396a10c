"""The sockets on which a supervisor listens."""

from __future__ import annotations

import os
import socket
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

from banditroute.gateway.entrance import Place


@contextmanager
def bound(place: Place) -> Generator[list[socket.socket]]:
    """Sockets at every address of a place, all at one port; nobody can call there before they listen.

    Raises:
        InputError: nobody can listen there.
    """
    with ExitStack() as stack:
        listeners: list[socket.socket] = []
        try:
            for family, address in _addresses(place):
                listener = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
                port = listeners[0].getsockname()[1] if listeners else address[1]
                _bind(listener, (address[0], port, *address[2:]))
                listeners.append(listener)
        except OSError as error:
            raise place.taken(error) from None
        yield listeners


def _addresses(place: Place) -> list[tuple[socket.AddressFamily, tuple[str, int, int, int] | tuple[str, int]]]:
    found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))  # pyright: ignore[reportReturnType]


def _bind(listener: socket.socket, address: tuple[object, ...]) -> None:
    if os.name == "posix":  # elsewhere it would let two processes listen at one port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if listener.family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind(address)
    listener.setblocking(False)
