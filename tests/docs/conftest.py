"""A loopback model server for the pages, which stands for the providers that their configurations name."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from banditroute.testing.faulty_server import FaultyServer


@pytest.fixture(scope="session")
def model_server() -> Iterator[str]:
    """The base URL of a server that answers well, in a thread of its own."""
    started, ended = threading.Event(), threading.Event()
    urls: list[str] = []

    async def serve() -> None:
        async with FaultyServer() as server:
            urls.append(server.base_url)
            started.set()
            await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert started.wait(10)
    yield urls[0]
    ended.set()
    thread.join()
