from __future__ import annotations

import pytest

from banditroute.errors import UnknownDecisionError
from banditroute.storage.memory import MemoryStore
from banditroute.storage.protocol import Dispatch
from banditroute.testing.store_records import a_dispatch, a_settlement, assert_same


async def test_only_the_newest_are_kept_and_the_sums_of_all() -> None:
    store = MemoryStore(kept=10)
    await store.open()
    for number in range(30):
        store.begin(a_dispatch(number))
        await store.settle(a_settlement(a_dispatch(number)))
    store.begin(a_dispatch(100))
    trails = [trail async for trail in store.trails()]
    assert [trail.dispatch for trail in trails] == [*map(a_dispatch, range(20, 30)), a_dispatch(100)]
    with pytest.raises(UnknownDecisionError):
        await store.trail("decision-000019")
    state = await store.state()
    assert sum(float(sums.n) for edge, sums in state.evidence.items() if edge.signal == "log_tokens") == 30
    assert_same(state, await store.rebuilt())


@pytest.mark.parametrize("keep", [False, True])
async def test_prompts_are_kept_only_when_asked(keep: bool) -> None:
    store = MemoryStore(keep_prompts=keep)
    await store.open()
    dispatch = Dispatch(a_dispatch(1).decision, prompt=b"[]")
    store.begin(dispatch)
    assert (await store.trail("decision-000001")).dispatch.prompt == (b"[]" if keep else None)
