"""Writes the measured part of docs/data-duties.md: how much of a deleted tenant is left in what the store has learned.

Asks: a store is taught by two tenants, fades or is moved meanwhile, is pruned or not, and one of the two is deleted.
The same stream without that tenant, faded alike, says what should be left; the difference is what is left of it, or
what too much was taken off. Run: `python simulations/deleted_tenants.py`; about ten seconds.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from banditroute.learning.evidence import Evidence, decayed
from banditroute.records import Feedback
from banditroute.routing.lessons import Edge, lesson_of
from banditroute.storage.memory import MemoryStore
from banditroute.testing.store_records import NOON, a_dispatch, a_settlement
from marked_page import footnote, write_part

REQUESTS = 1200
STEPS = 24  # in which it fades
SHARE = 0.3  # of the requests that are the deleted tenant's, while it is there
GONE = "acme"


@dataclass(frozen=True, slots=True)
class World:
    """What happens.

    Attributes:
        name: in words.
        since, until: the part of the stream in which the tenant is there.
        left: of all evidence at the end of the stream, by forgetting; 1 = all.
        alarm_at: where in the stream an alarm takes nine tenths of the evidence away; 2 = nowhere.
        pruned: the part of the stream whose rows are deleted by age before the tenant is.
    """

    name: str
    since: float = 0.0
    until: float = 1.0
    left: float = 1.0
    alarm_at: float = 2.0
    pruned: float = 0.0


WORLDS = (
    World("nothing faded"),
    World("faded to a quarter", left=0.25),
    World("faded to a quarter, the tenant in the first half only", until=0.5, left=0.25),
    World("faded to a quarter, the tenant in the second half only", since=0.5, left=0.25),
    World("an alarm took nine tenths half way", alarm_at=0.5),
    World("the first half deleted by age", pruned=0.5),
    World("the first half deleted by age, faded to a quarter", pruned=0.5, left=0.25),
)


async def lived(world: World, *, with_tenant: bool) -> MemoryStore:
    """The store at the end of the stream."""
    store, chance = MemoryStore(kept=2 * REQUESTS), random.Random(1)
    await store.open()
    factor = world.left ** (1 / STEPS)
    for number in range(REQUESTS):
        place = number / REQUESTS
        is_its = chance.random() < SHARE and world.since <= place < world.until
        if with_tenant or not is_its:
            await _serve(store, number, GONE if is_its else "other")
        if (number + 1) % (REQUESTS // STEPS) == 0 and factor < 1.0:
            await _fade(store, factor)
        if number == int(world.alarm_at * REQUESTS):
            await _fade(store, 0.1)
    await store.prune(NOON + world.pruned * REQUESTS)
    return store


async def _serve(store: MemoryStore, number: int, tenant: str) -> None:
    dispatch = a_dispatch(number)
    noise = np.random.default_rng(number)  # of the request: the same in both streams
    features, tokens = tuple(noise.normal(size=3).tolist()), int(noise.integers(100, 1000))
    context = replace(dispatch.decision.context, features=features, input_tokens=tokens)
    dispatch = replace(dispatch, decision=replace(dispatch.decision, tenant=tenant, context=context))
    settlement = a_settlement(dispatch)
    store.begin(dispatch)
    await store.settle(settlement)
    feedback = Feedback(dispatch.decision.decision_id, float(noise.uniform()), "user", NOON)
    await store.judge(feedback, lesson_of(dispatch.decision, settlement.outcome, feedback))


async def _fade(store: MemoryStore, factor: float) -> None:
    state = await store.state()
    await store.adjust([], {edge: decayed(sums, factor - 1.0) for edge, sums in state.evidence.items()})


async def measured(world: World) -> str:
    """The row of a world: of what the tenant had taught, how much was taken off."""
    store, never = await lived(world, with_tenant=True), await lived(world, with_tenant=False)
    before, wanted = (await store.state()).evidence, (await never.state()).evidence
    await store.delete_tenant(GONE)
    after = (await store.state()).evidence
    its = _observations(before) - _observations(wanted)
    left = _observations(after) - _observations(wanted)
    apart = max(_apart(after[edge], sums) for edge, sums in wanted.items())
    return f"| {world.name} | {_observations(before):,.1f} | {its:,.1f} | {left:+,.1f} | {apart:.1e} |"


def _observations(evidence: Mapping[Edge, Evidence]) -> float:
    return sum(float(sums.n) for edge, sums in evidence.items() if edge.signal == "quality")


def _apart(one: Evidence, other: Evidence) -> float:
    """The difference of two sums of inputs over the larger, as matrices."""
    return float(np.linalg.norm(one.A - other.A) / np.linalg.norm(other.A))


async def main() -> None:
    """Measures and writes."""
    started = time.perf_counter()
    lines = [
        "| what happened | judgements that the evidence counts | of them the tenant's | left of it after deletion "
        "(below 0: taken off the others) | largest difference of an edge's sums from a store it never came to |",
        "|---|---|---|---|---|",
        *[await measured(world) for world in WORLDS],
        "",
        f"{footnote(started, __file__)}.",
    ]
    text = "\n".join(lines)
    print(text)
    write_part("data-duties.md", "measured", text)


if __name__ == "__main__":
    asyncio.run(main())
