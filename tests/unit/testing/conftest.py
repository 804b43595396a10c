"""What tests of the pytest plugin share."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from banditroute import testing
from banditroute.sync import SyncRouter
from banditroute.testing import Recording, recorded_router, scripted_router


@pytest.fixture(scope="session")
def everything_loaded(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Has imported whatever a router imports as it works.

    A pytest within this process forgets what was imported under it: numpy cannot be imported again, and of other
    modules there would be two.
    """
    for name in testing.__all__:
        getattr(testing, name)

    async def ask() -> None:
        async with scripted_router() as router:
            answer = await router.chat("hello")
            await router.feedback(answer.decision_id, quality=0.5)

    asyncio.run(ask())
    with SyncRouter(scripted_router()) as router:
        router.chat("hello")
    path: Path = tmp_path_factory.mktemp("loaded") / "router.toml"
    path.write_text(
        '[[providers]]\nname = "p"\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\n'
        '[[models]]\nname = "m"\nprovider = "p"\ninput_usd_per_mtok = 0.0\noutput_usd_per_mtok = 0.0\n',
        encoding="utf-8",
    )
    recorded_router(path, Recording(path.with_suffix(".jsonl")))
