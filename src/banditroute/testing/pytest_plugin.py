"""Fixtures for pytest: a scripted router, recorded replies, a seed, and no network by accident.

It comes with banditroute and every pytest beside it loads it, so it imports nothing of the router until a test asks.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from banditroute.router import Router

_MARKERS = (
    "no_network: connections that leave this machine fail, with an error that says so",
    "bandit_router(**settings): settings of the bandit_router fixture: replies, config, chooses, budgets, seed, at",
    "bandit_recorded(keep_prompts=False): bandit_router replays what providers answered once; see --bandit-record",
)
_LONGEST_NAME = 120


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds what may be said on the command line and in the configuration."""
    group = parser.getgroup("banditroute")
    group.addoption("--bandit-seed", type=int, default=0, help="where chance begins in bandit_router (default: 0)")
    group.addoption(
        "--bandit-record",
        choices=("none", "new", "all"),
        default="none",
        help="ask providers for the answers of tests marked bandit_recorded: of those without a recording, or of all",
    )
    parser.addini("bandit_config", "the router.toml of bandit_router, from the root directory", default="")
    parser.addini("bandit_no_network", "whether no test may reach another machine", type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Declares the markers."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Has tests that are to do without the network use the fixture that holds it."""
    names: list[str] | None = getattr(item, "fixturenames", None)
    if names is None or "no_network" in names or item.get_closest_marker("bandit_recorded") is not None:
        return
    if item.get_closest_marker("no_network") is not None or item.config.getini("bandit_no_network"):
        names.insert(0, "no_network")


@pytest.fixture
def no_network() -> Iterator[None]:
    """Connections that leave this machine raise NetworkBlockedError."""
    from banditroute.testing.network_guard import network_blocked

    with network_blocked():
        yield


@pytest.fixture
def bandit_seed(request: pytest.FixtureRequest) -> int:
    """Where chance begins: --bandit-seed."""
    return int(request.config.getoption("bandit_seed") or 0)


@pytest.fixture(scope="session")
def bandit_config(request: pytest.FixtureRequest) -> Path | None:
    """The router.toml that `bandit_config` in the configuration names; None = two models, small and large."""
    name: str = request.config.getini("bandit_config")
    return request.config.rootpath / name if name else None


@pytest.fixture
def bandit_router(request: pytest.FixtureRequest, bandit_config: Path | None, bandit_seed: int) -> Router:
    """A router to hand to the code under test, not open yet: `async with` it, or give it to a SyncRouter.

    It is a ScriptedRouter, or replays what is on record where the test is marked bandit_recorded.
    """
    marked = request.node.get_closest_marker("bandit_recorded")
    if marked is not None:
        return _recorded(request, bandit_config, bandit_seed, **marked.kwargs)
    from banditroute.testing.scripted import scripted_router

    request.getfixturevalue("no_network")
    settings = request.node.get_closest_marker("bandit_router")
    given: dict[str, Any] = {"config": bandit_config, "seed": bandit_seed}
    return scripted_router(**given if settings is None else {**given, **settings.kwargs})


def _recorded(request: pytest.FixtureRequest, config: Path | None, seed: int, *, keep_prompts: bool = False) -> Router:
    from banditroute.testing.recorded import recorded_router
    from banditroute.testing.recording import Recording

    if config is None:
        pytest.fail("a recorded router needs a configuration: set bandit_config = router.toml, or override the fixture")
    path, mode = _file_of(request.node), request.config.getoption("bandit_record")
    record = mode == "all" or (mode == "new" and not path.exists())
    if not record:
        request.getfixturevalue("no_network")
        if not path.exists():
            pytest.fail(f"nothing is on record in {path}; run it once with --bandit-record=new, keys being set")
    return recorded_router(config, Recording(path, keep_prompts=keep_prompts), record=record, seed=seed)


def _file_of(item: pytest.Item) -> Path:
    """A test's recording: recorded/MODULE/TEST.jsonl beside its module."""
    name = item.nodeid.partition("::")[2].replace("::", ".")
    plain = re.sub(r"[^\w.\[\]-]+", "-", name)[:_LONGEST_NAME]
    if plain != name:  # two tests must not share a file
        plain += f"-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return item.path.parent / "recorded" / item.path.stem / f"{plain}.jsonl"
