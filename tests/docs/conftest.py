"""A loopback model server for the pages, which stands for the providers that their configurations name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from banditroute.testing.threaded_server import threaded_server


@pytest.fixture(scope="session")
def model_server() -> Iterator[str]:
    """The base URL of a server that answers well, in a thread of its own."""
    with threaded_server() as server:
        yield server.base_url
