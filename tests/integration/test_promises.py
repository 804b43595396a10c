"""A router that promises to be quick: a good model that is late is left for one that is not, and it is remembered."""

import asyncio
from collections import Counter

from banditroute.testing.faults import ok
from banditroute.testing.faulty_exchange import Exchange

STORE = {"kind": "sqlite", "path": "decisions.db"}
SLOW_S, LIMIT_S = 0.12, 0.06
PROMISES = [{"name": "fast", "latency_s": LIMIT_S, "epsilon": 0.1}]
QUALITY = {"good": 0.95, "quick": 0.7}


async def tardy(exchange: Exchange) -> None:
    await asyncio.sleep(SLOW_S)
    await ok(exchange)


async def served(router, requests: int) -> Counter[str]:
    """Answers one after the other, each judged; who gave them."""
    found: Counter[str] = Counter()
    for _ in range(requests):
        answer = await router.chat("hello", task="qa")
        await router.feedback(answer.decision_id, quality=QUALITY[answer.model])
        found[answer.model] += 1
    return found


async def test_it_leaves_the_model_that_is_late_and_says_what_that_costs(lab):
    models = {"good": await lab.server(tardy), "quick": await lab.server()}
    plain = await lab.router(models, store={"kind": "memory"})
    assert (await served(plain, 30))["good"] > 20
    bound = await lab.router(models, store=STORE, promises=PROMISES)
    await served(bound, 30)
    late = await served(bound, 30)
    assert late["good"] <= 3
    paces = (await bound.learner.store.state()).paces
    totals = paces["promise/fast/totals"]
    assert totals.requests == 60
    await bound.aclose()
    again = await lab.router(models, store=STORE, promises=PROMISES)
    assert (await served(again, 20))["good"] <= 3
    assert (await again.learner.store.state()).paces["promise/fast/totals"].requests == 80


async def test_calls_on_record_say_how_busy_their_model_was(lab):
    router = await lab.router({"good": await lab.server(tardy)}, store=STORE)
    answers = await asyncio.gather(*(router.chat("hello") for _ in range(5)))
    beside = sorted(answer.outcome.attempts[0].in_flight for answer in answers)
    assert beside == [0, 1, 2, 3, 4]
    assert not router.learner.decider.beliefs.load.in_flight
    store = router.learner.store
    state, rebuilt = await store.state(), await store.rebuilt()
    busy = [edge for edge in state.evidence if edge.encoder_version == "in-flight"]
    assert [(edge.signal, float(state.evidence[edge].n)) for edge in busy] == [("log_latency", 5.0)]
    assert {edge: float(sums.n) for edge, sums in state.evidence.items()} == {
        edge: float(sums.n) for edge, sums in rebuilt.evidence.items()
    }


async def test_a_first_token_is_learned_of_streams(lab):
    router = await lab.router({"good": await lab.server()}, store=STORE, promises=[{"name": "p", "ttft_s": 1.0}])
    async with router.stream("hello") as stream:
        async for _ in stream:
            pass
    state = await router.learner.store.state()
    seen = {edge.encoder_version for edge, sums in state.evidence.items() if edge.signal == "log_ttft" and sums.n}
    assert seen == {"in-flight", router.learner.decider.beliefs.encoder_version}
    assert state.paces["promise/p/totals"].requests == 1
