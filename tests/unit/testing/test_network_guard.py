import asyncio
import contextlib
import socket
from pathlib import Path

import aiohttp
import pytest

from banditroute import open_router
from banditroute.testing import NetworkBlockedError, network_blocked
from banditroute.testing.faulty_server import FaultyServer


async def test_loopback_is_reached_and_another_machine_is_not() -> None:
    with network_blocked():
        async with FaultyServer() as server, aiohttp.ClientSession() as session:
            async with session.post(f"{server.base_url}/chat/completions", json={"messages": []}) as response:
                assert response.status == 200
            with pytest.raises(NetworkBlockedError, match=r"192\.0\.2\.1:80 was blocked"):
                await session.get("http://192.0.2.1/")
            with pytest.raises(NetworkBlockedError, match=r"models\.example"):
                await session.get("http://models.example/")


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"])
def test_no_way_of_connecting_leads_out(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with network_blocked(), contextlib.closing(socket.socket(family, socket.SOCK_DGRAM)) as used:
        for attempt in (used.connect, used.connect_ex):
            with pytest.raises(NetworkBlockedError):
                attempt((host, 9))
        with pytest.raises(NetworkBlockedError):
            used.sendto(b"x", (host, 9))
        with pytest.raises(NetworkBlockedError):
            used.sendto(b"x", 0, (host, 9))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", b"localhost", "::1", "::ffff:127.0.0.1", None])
def test_this_machine_goes_by_many_names(host: str | bytes | None) -> None:
    with network_blocked():
        assert socket.getaddrinfo(host, 80)


def test_a_socket_on_disk_is_no_network(tmp_path: Path) -> None:
    with network_blocked(), contextlib.closing(socket.socket(socket.AF_UNIX)) as used, pytest.raises(FileNotFoundError):
        used.connect(str(tmp_path / "nobody"))


def test_everything_is_as_before_afterwards() -> None:
    before = socket.getaddrinfo, socket.socket.connect, socket.socket.connect_ex, socket.socket.sendto
    with contextlib.suppress(KeyError), network_blocked():
        raise KeyError
    assert before == (socket.getaddrinfo, socket.socket.connect, socket.socket.connect_ex, socket.socket.sendto)


async def test_a_live_router_says_so_at_once_and_tries_no_other_model(tmp_path: Path) -> None:
    path = tmp_path / "router.toml"
    path.write_text(
        '[[providers]]\nname = "p"\nkind = "openai"\nbase_url = "https://models.example/v1"\n'
        '[[models]]\nname = "m"\nprovider = "p"\ninput_usd_per_mtok = 0.0\noutput_usd_per_mtok = 0.0\n'
        '[store]\nkind = "memory"\n',
        encoding="utf-8",
    )
    with network_blocked():
        async with asyncio.timeout(5), open_router(path) as router:
            with pytest.raises(NetworkBlockedError, match=r"models\.example:443"):
                await router.chat("hello")
