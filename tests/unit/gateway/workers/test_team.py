"""Connections go to whoever has the fewest, and channels keep count."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter

import pytest

from banditroute.errors import InputError
from banditroute.gateway.entrance import Place
from banditroute.gateway.workers.channel import (
    END,
    GIVE_UP,
    RELOAD,
    Channel,
    Connected,
    Failed,
    Leaving,
    Ready,
    word_of,
)
from banditroute.gateway.workers.job import Job, job_of
from banditroute.gateway.workers.listeners import bound
from banditroute.gateway.workers.team import Team
from banditroute.gateway.workers.worker_process import Worker

JOB = Job("router.toml", "127.0.0.1", "http://127.0.0.1:1", 1, 2, "nowhere")


class Echo(asyncio.Protocol):
    """Says who it is, and keeps count."""

    def __init__(self, name: str, there: set[Echo]) -> None:
        self.name, self.there = name, there

    def connection_made(self, transport):
        self.there.add(self)
        transport.write(self.name.encode())

    def connection_lost(self, exc):
        self.there.discard(self)


class Hands:
    """A worker's end in this process, and the supervisor's view of it."""

    def __init__(self, number: int) -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self.there: set[Echo] = set()
        self.channel = Channel(theirs, "127.0.0.1", "http://127.0.0.1:1")
        self.worker = Worker(JOB, None, ours, lambda: None)
        self.open = self.channel.open(lambda: Echo(str(number), self.there), lambda: len(self.there))
        self.ours = ours


@pytest.fixture
async def hands():
    made = [Hands(1), Hands(2)]
    for each in made:
        each.channel.__enter__()
        await each.open.__aenter__()
        each.channel.ready()
    yield made
    for each in made:
        await each.open.__aexit__(None, None, None)
        each.channel.__exit__()
        asyncio.get_running_loop().remove_reader(each.ours.fileno())
        each.ours.close()


async def until(what):
    async with asyncio.timeout(5.0):
        while not what():
            await asyncio.sleep(0.01)


def team_of(hands) -> Team:
    team = Team([])
    team._workers = {number: each.worker for number, each in enumerate(hands, start=1)}
    team._last = dict.fromkeys(team._workers, 0)
    for number, each in enumerate(hands, start=1):
        each.worker.job = Job(*("",) * 3, number, 2, "")
    return team


async def called(team: Team) -> tuple[str, socket.socket]:
    """Who answers a new call, and the caller's end of it."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with theirs:
        assert team.hand(theirs)
    return (await asyncio.get_running_loop().sock_recv(ours, 10)).decode(), ours


async def test_whoever_has_the_fewest_gets_the_next(hands):
    team = team_of(hands)
    await until(lambda: all(each.worker.is_ready for each in hands))
    calls = [await called(team) for _ in range(10)]
    assert Counter(name for name, _ in calls) == {"1": 5, "2": 5}
    for name, end in calls:
        if name == "1":
            end.close()
    await until(lambda: hands[0].worker.connections == 0)
    assert hands[1].worker.connections == 5
    more = [await called(team) for _ in range(5)]
    assert [name for name, _ in more] == ["1"] * 5
    hands[0].worker.is_ready = False
    last, end = await called(team)
    assert last == "2", "nobody is handed to who is not ready"
    for _, each in [*calls, *more, (last, end)]:
        each.close()
    await until(lambda: not any(each.there for each in hands))


async def test_orders_come_behind_what_was_handed_over_before(hands):
    team, gave_up = team_of(hands[:1]), []
    await until(lambda: hands[0].worker.is_ready)
    hands[0].channel.give_up = lambda: gave_up.append(len(hands[0].there))
    calls = [asyncio.create_task(called(team)) for _ in range(3)]
    await asyncio.sleep(0)
    team.order(RELOAD)
    team.order(GIVE_UP)
    team.order(END)
    assert not team.is_ready
    assert [name for name, _ in await asyncio.gather(*calls)] == ["1"] * 3
    await until(hands[0].channel.ended.is_set)
    assert hands[0].channel.changed.is_set()
    assert len(gave_up) == 1
    for call in calls:
        call.result()[1].close()


async def test_who_is_told_to_end_by_others_asks_the_supervisor(hands):
    await until(lambda: hands[0].worker.is_ready)
    hands[0].channel.leave()
    await until(hands[0].channel.ended.is_set)
    assert not hands[0].worker.is_ready


async def test_a_worker_ends_with_its_supervisor(hands):
    asyncio.get_running_loop().remove_reader(hands[0].ours.fileno())
    hands[0].ours.shutdown(socket.SHUT_RDWR)
    await until(hands[0].channel.ended.is_set)


def test_words_and_jobs_are_understood_as_they_were_meant():
    said = ["ready", "failed no such file: a b", "connected 3 7", "leaving"]
    assert [word_of(each) for each in said] == [Ready(), Failed("no such file: a b"), Connected(3, 7), Leaving()]
    assert job_of(JOB.told(5)) == (JOB, 5)


def test_nobody_can_call_before_workers_are_ready_and_no_port_is_shared():
    with bound(Place("localhost", 0)) as listeners:
        ports = {listener.getsockname()[1] for listener in listeners}
        assert len(ports) == 1
        address = listeners[0].getsockname()
        with socket.socket(listeners[0].family) as caller, pytest.raises(ConnectionRefusedError):
            caller.connect(address)
        listeners[0].listen()
        with pytest.raises(InputError, match="address already in use"), bound(Place(address[0], address[1])):
            pass
