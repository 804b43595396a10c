"""Asking for models, over the network."""

import time

import pytest

from banditroute.delivery.model_lists import Server, ask_models
from banditroute.errors import ConnectionFailedError, KeyRefusedError, ServerFailedError, TimedOutError
from banditroute.testing.faulty_server import FaultyServer, closed_port


async def test_a_server_tells_its_models_and_the_time() -> None:
    async with FaultyServer(models=("a", "b")) as server:
        came = await ask_models(Server("openai", server.base_url), "key", 5.0, time.time)
        assert await server.settled()
    assert [model.name for model in came.models] == ["a", "b"]
    assert came.ahead_s is not None
    assert abs(came.ahead_s) < 2.0


@pytest.mark.parametrize(
    ("fault", "error"),
    [("401", KeyRefusedError), ("500", ServerFailedError), ("hang-before-head", TimedOutError)],
)
async def test_a_failure_is_one_of_the_tree(fault: str, error: type[Exception]) -> None:
    async with FaultyServer(default=fault) as server:
        with pytest.raises(error):
            await ask_models(Server("openai", server.base_url), "key", 0.3, time.time)


async def test_nobody_there() -> None:
    with pytest.raises(ConnectionFailedError):
        await ask_models(Server("openai", f"http://127.0.0.1:{closed_port()}/v1"), None, 1.0, time.time)


@pytest.mark.parametrize(("now_s", "ahead_s"), [(0.0, 0.0), (-600.0, 600.0), (600.0, -600.0)])
async def test_a_clock_that_is_off_is_found_out(now_s: float, ahead_s: float) -> None:
    """This machine's clock is moved, not the server's."""
    async with FaultyServer() as server:
        came = await ask_models(Server("openai", server.base_url), None, 5.0, lambda: time.time() + now_s)
    assert came.ahead_s == pytest.approx(ahead_s, abs=2.0)
