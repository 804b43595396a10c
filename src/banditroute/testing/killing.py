"""Kills a process in the middle of its work, again and again on the same file, and looks at what is left.

What the process is does not matter: its first line says that it started, each further one what it acknowledges, as
`settled ID` or `judged ID`.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from banditroute.storage.protocol import State, Store

from .store_records import assert_same

Command = Callable[[int], Sequence[str]]
"""The command line of the process for each round; no two rounds make decisions of one id."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What a process said of its work before it was killed: ids of decisions."""

    settled: frozenset[str]
    judged: frozenset[str]

    @classmethod
    def parse(cls, output: bytes) -> Acknowledged:
        """What the lines say, the last one being left out where it was cut."""
        words = [line.split(" ", 1) for line in output.decode().split("\n")[:-1]]
        found = {kind: frozenset(w[1] for w in words if w[0] == kind) for kind in ("settled", "judged")}
        return cls(found["settled"], found["judged"])


@dataclass(slots=True)
class Damage:
    """What rounds of killing have shown so far.

    Attributes:
        kills: how many.
        settled: outcomes that were acknowledged; judged: judgements that were.
        lost: acknowledged ones that are not on record.
        unacknowledged: on record, though the process did not live to say so.
        counted: answers that the evidence counts; logged: those that ever were on record.
    """

    kills: int = 0
    settled: int = 0
    judged: int = 0
    lost: int = 0
    unacknowledged: int = 0
    counted: int = 0
    logged: int = 0


async def kill_after(command: Sequence[str], seconds: float) -> bytes:
    """What a process wrote until it was killed, so many seconds after its first line."""
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        first = await process.stdout.readline()
        rest = asyncio.ensure_future(process.stdout.read())
        await asyncio.sleep(seconds)
    finally:
        if process.returncode is None:
            process.kill()
    output = first + await rest
    await process.wait()
    return output


async def kill_rounds(
    store: Store, command: Command, turns: Sequence[int], *, most_s: float, rng: random.Random
) -> Damage:
    """Kills a process once per round, each time at a random moment, and checks the store after each.

    Args:
        store: on what the processes write; closed.
        command: the process of a round.
        turns: the rounds.
        most_s: the latest moment, in seconds from its start.
        rng: chance.

    Raises:
        AssertionError: something acknowledged is lost, something is counted twice, or state and log differ.
    """
    damage, known = Damage(), OnRecord(set(), set())
    for turn in turns:
        output = await kill_after(command(turn), rng.uniform(0.0, most_s))
        assert output, "the process said nothing; it ended by itself"
        said = Acknowledged.parse(output)
        await check(store, turn, said, known, damage)
    return damage


@dataclass(frozen=True, slots=True)
class OnRecord:
    """Ids of decisions that were answered, and of those that were judged."""

    settled: set[str]
    judged: set[str]


async def check(store: Store, turn: int, said: Acknowledged, known: OnRecord, damage: Damage) -> None:
    """Opens a store after processes were killed, and adds what it shows to the damage.

    Args:
        store: on what they wrote; closed.
        turn: the round.
        said: what they acknowledged in it.
        known: what was on record before it, to which this round's is added.
        damage: so far.

    Raises:
        AssertionError: something acknowledged is lost, something is counted twice, or state and log differ.
    """
    await store.open()
    try:
        await _check(store, turn, said, known, damage)
    finally:
        await store.aclose()


async def _check(store: Store, turn: int, said: Acknowledged, known: OnRecord, damage: Damage) -> None:
    found = await _on_record(store)
    new = OnRecord(found.settled - known.settled, found.judged - known.judged)
    known.settled.update(new.settled)
    known.judged.update(new.judged)
    lost = (said.settled - new.settled) | (said.judged - new.judged)
    damage.kills += 1
    damage.settled += len(said.settled)
    damage.judged += len(said.judged)
    damage.lost += len(lost)
    damage.unacknowledged += len(new.settled - said.settled) + len(new.judged - said.judged)
    damage.logged += len(new.settled)
    state = await store.state()
    damage.counted = _observations(state, "log_tokens")
    assert not lost, f"round {turn}: acknowledged and lost: {sorted(lost)[:5]}"
    assert damage.counted == damage.logged, f"round {turn}: {damage.logged} outcomes count {damage.counted} times"
    assert_same(state, await store.rebuilt())


async def _on_record(store: Store) -> OnRecord:
    found = OnRecord(set(), set())
    async for trail in store.trails():
        if trail.outcome is not None and trail.outcome.ok:
            found.settled.add(trail.decision.decision_id)
        if trail.feedback:
            found.judged.add(trail.decision.decision_id)
    return found


def _observations(state: State, signal: str) -> int:
    return round(sum(float(sums.n) for edge, sums in state.evidence.items() if edge.signal == signal))


def store_worker(path: str) -> Command:
    """The process that works a SQLite store at a path."""
    return lambda turn: (sys.executable, "-m", "banditroute.testing.store_worker", path, str(turn))


def router_worker(folder: str) -> Command:
    """The process that works a whole router in a folder, where its SQLite store is called store.db."""
    return lambda turn: (sys.executable, "-m", "banditroute.testing.router_worker", folder, str(turn))
