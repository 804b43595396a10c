"""The contract of a Store as tests that any implementation can run.

Subclass the suite in a test module and give it a fixture:

    class TestMyStore(StoreContract):
        @pytest.fixture
        def make_store(self, tmp_path):
            return lambda: MyStore(tmp_path / "log")

Every call of `make_store` must give a store on the same data; the suite has one open at a time, except where its
`shared` says that several may be. It needs pytest with pytest-asyncio in auto mode.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import permutations
from typing import ClassVar

import numpy as np
import pytest

from banditroute.errors import InputError, NotServedError, StoreError, UnknownDecisionError
from banditroute.learning.evidence import Evidence
from banditroute.records import Feedback
from banditroute.routing.lessons import Edge, lesson_of
from banditroute.storage.protocol import Charge, Dispatch, Settlement, State, Store, StoredKey, Switch, Trail
from banditroute.testing.store_records import DAY, MONTH, NOON, a_dispatch, a_settlement, an_alarm, assert_same

MakeStore = Callable[[], Store]


async def settle(store: Store, dispatch: Dispatch, *, ok: bool = True) -> Settlement:
    """Begins and settles a dispatch that is new."""
    settlement = a_settlement(dispatch, ok=ok)
    store.begin(dispatch)
    assert await store.settle(settlement)
    return settlement


async def judge(store: Store, dispatch: Dispatch, settlement: Settlement, quality: float, source: str = "user") -> bool:
    """Judges a decision that was settled; whether it counted."""
    feedback = Feedback(dispatch.decision.decision_id, quality, source, NOON + 20.0)
    return await store.judge(feedback, lesson_of(dispatch.decision, settlement.outcome, feedback))


async def _all(trails: AsyncIterator[Trail]) -> list[Trail]:
    return [trail async for trail in trails]


class StoreContract:
    """What every store must do; see the module."""

    shared: ClassVar[bool] = False
    """Whether two stores may be open on the same data at once."""

    # Writing and reading back

    async def test_a_dispatch_comes_back_whole(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            dispatch = a_dispatch(1)
            store.begin(dispatch)
            assert await store.trail("decision-000001") == Trail(dispatch)

    async def test_outcome_charges_and_feedback_come_back_whole(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            dispatch = a_dispatch(1)
            settlement = await settle(store, dispatch)
            await judge(store, dispatch, settlement, 0.8)
            await judge(store, dispatch, settlement, 0.3, "an automatic judge")
            trail = await store.trail("decision-000001")
        assert (trail.dispatch, trail.outcome, trail.charges) == (dispatch, settlement.outcome, settlement.charges)
        assert [(one.quality, one.source) for one in trail.feedback] == [(0.8, "user"), (0.3, "an automatic judge")]

    async def test_any_text_comes_back(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            decision = replace(a_dispatch(1).decision, tenant="'; DROP TABLE — \x00 \u2028 🦜", policy_version="")
            store.begin(Dispatch(decision))
            assert (await store.trail(decision.decision_id)).decision == decision

    async def test_trails_come_in_the_order_of_their_beginning(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            order = [3, 1, 2, *range(10, 600)]
            for number in order:
                store.begin(a_dispatch(number))
            trails = await _all(store.trails())
            recent = await store.recent(2)
        assert [trail.dispatch for trail in trails] == [a_dispatch(number) for number in order]
        assert [trail.dispatch for trail in recent] == [a_dispatch(599), a_dispatch(598)]

    async def test_unsettled_are_those_without_an_outcome(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            for number in range(4):
                store.begin(a_dispatch(number))
            await store.settle(a_settlement(a_dispatch(2)))
            assert await store.unsettled() == [a_dispatch(0), a_dispatch(1), a_dispatch(3)]

    async def test_a_new_store_is_empty(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            assert (await store.recent(5), await store.unsettled(), await _all(store.trails())) == ([], [], [])
            assert await store.state() == await store.rebuilt() == State({}, {}, {})

    # What the log amounts to

    async def test_state_is_the_sum_of_what_was_taught_and_spent(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            dispatch = a_dispatch(1)
            settlement = await settle(store, dispatch)
            await judge(store, dispatch, settlement, 0.8)
            state = await store.state()
        x = np.array(settlement.lessons[1].x)
        sums = state.evidence[Edge("code", "small", "quality", "v1")]
        expected = Evidence(np.outer(x, x), 0.8 * x, np.array(1.0), np.array(0.64))
        assert_same(
            State({Edge("q", "m", "s", "v"): sums}, {}, {}), State({Edge("q", "m", "s", "v"): expected}, {}, {})
        )
        assert Edge("code", "large", "log_latency", "v1") in state.evidence
        assert Edge("code", "large", "log_tokens", "v1") not in state.evidence
        assert state.spent_usd == pytest.approx({DAY: 0.00111, MONTH: 0.00111})
        assert state.paces == {"paced": settlement.paces[0]}

    async def test_rebuilt_equals_state(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await _work(store, range(50))
            state = await store.state()
            assert sum(float(sums.n) for sums in state.evidence.values()) > 100
            assert_same(state, await store.rebuilt())

    async def test_order_does_not_matter(self, make_store: MakeStore) -> None:
        """The sums of any three decisions are the same, in whatever order they are settled and judged."""
        async with _opened(make_store) as store:
            states: list[State] = []
            for numbers in permutations(range(3)):
                await store.replace(State({}, {}, {}))
                offset = 10 * len(states)
                await _work(store, [offset + n for n in numbers], as_if=numbers)
                states.append(await store.state())
        for state in states[1:]:
            assert_same(replace(state, paces={}), replace(states[0], paces={}), rtol=1e-12)

    async def test_the_pace_that_was_written_last_counts(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            for number in (5, 3, 4):
                await settle(store, a_dispatch(number))
            state, rebuilt = await store.state(), await store.rebuilt()
        assert state.paces == rebuilt.paces == {"paced": a_settlement(a_dispatch(4)).paces[0]}

    async def test_replace_changes_the_state_and_not_the_log(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await _work(store, range(5))
            before = await store.rebuilt()
            await store.replace(State({}, {}, {}))
            assert await store.state() == State({}, {}, {})
            assert_same(await store.rebuilt(), before)
            await store.replace(before)
            assert_same(await store.state(), before)
            await _work(store, range(5, 9))
            assert_same(await store.state(), await store.rebuilt())

    async def test_encoders_do_not_mix(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await settle(store, a_dispatch(0, width=3, version="v1"))
            await settle(store, a_dispatch(2, width=5, version="v2"))
            state = await store.state()
            assert_same(state, await store.rebuilt())
        widths = {(edge.encoder_version, sums.b.size) for edge, sums in state.evidence.items()}
        assert widths == {("v1", 5), ("v2", 7)}

    async def test_a_lesson_of_another_width_is_refused(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await settle(store, a_dispatch(0, width=3))
            wide = a_dispatch(2, width=5)
            store.begin(wide)
            with pytest.raises(StoreError, match="has 5 inputs, the lesson 7"):
                await store.settle(a_settlement(wide))
            assert (await store.trail(wide.decision.decision_id)).outcome is None
            assert_same(await store.state(), await store.rebuilt())

    async def test_a_switch_is_kept_as_it_was_thrown_last(self, make_store: MakeStore) -> None:
        frozen = Switch("freeze", "exploration", NOON, "")
        async with _opened(make_store) as store:
            assert await store.switches() == []
            await store.throw(Switch("only", "small", NOON, ""))
            await store.throw(frozen)
            await store.throw(Switch("only", "", NOON + 1.0, "'; large — 🦜"))
        async with _opened(make_store) as store:
            kept = await store.switches()
        assert kept == [frozen, Switch("only", "", NOON + 1.0, "'; large — 🦜")]

    async def test_a_key_is_kept_as_it_was_kept_last(self, make_store: MakeStore) -> None:
        app = StoredKey("k1", "app", b"\x00\xff", "acme", ("small",), ("qa", "code"), 60.0, created_at=NOON)
        ops = StoredKey("k0", "ops", b"digest", admin=True, created_at=NOON + 1)
        async with _opened(make_store) as store:
            assert await store.keys() == []
            for key in (ops, app, replace(app, revoked_at=NOON + 2)):
                await store.keep_key(key)
            assert await store.keys() == [replace(app, revoked_at=NOON + 2), ops]

    async def test_switches_are_no_part_of_what_the_log_amounts_to(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await settle(store, a_dispatch(1))
            before = await store.state()
            await store.throw(Switch("only", "small", NOON, ""))
            await store.prune(NOON + 1e6)
            assert_same(await store.state(), before, rtol=0)
            assert await store.switches() == [Switch("only", "small", NOON, "")]

    # Adjusting

    async def test_what_is_added_counts_as_part_of_the_log(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await _work(store, range(20))
            before = await store.state()
            await store.adjust([an_alarm(1)], {_EDGE: _some(before, -0.75)})
            await _work(store, range(20, 24))
            state = await store.state()
            assert_same(state, await store.rebuilt())
            await store.replace(await store.rebuilt())
            assert_same(state, await store.state())
        async with _opened(make_store) as store:
            assert_same(state, await store.state())
            await _work(store, range(24, 25))
            assert_same(await store.state(), await store.rebuilt())
        fresh = float(state.evidence[_EDGE].n) - 0.25 * float(before.evidence[_EDGE].n)
        assert fresh == pytest.approx(2.0), "a quarter of what was known, and what came since"

    async def test_what_is_added_survives_the_rows_that_it_was_taken_from(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await _work(store, range(20))
            await store.adjust([an_alarm(1)], {_EDGE: _some(await store.state(), -0.75)})
            state = await store.state()
            await store.prune(NOON + 10.0)
            await store.adjust([an_alarm(2)], {_EDGE: _some(state, 0.5)})
            await store.prune(NOON + 1e6)
            assert_same(await store.state(), await store.rebuilt())
            assert float((await store.state()).evidence[_EDGE].n) == pytest.approx(1.5 * float(state.evidence[_EDGE].n))
            assert await store.alarms(5) == [an_alarm(2), an_alarm(1)]

    async def test_an_edge_that_has_seen_nothing_may_be_adjusted(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            sums = Evidence(-np.eye(5), np.ones(5), np.array(-1.0), np.array(2.0))
            await store.adjust([], {_EDGE: sums})
            assert_same(await store.state(), State({_EDGE: sums}, {}, {}), rtol=0)
            assert_same(await store.state(), await store.rebuilt())
            assert await store.alarms(5) == []

    async def test_alarms_come_back_whole_and_newest_first(self, make_store: MakeStore) -> None:
        alarms = [an_alarm(number) for number in range(30)]
        async with _opened(make_store) as store:
            await store.adjust(alarms[:10], {})
            for alarm in alarms[10:]:
                await store.adjust([alarm], {})
            assert await store.alarms(1_000) == alarms[::-1]
        async with _opened(make_store) as store:
            await store.prune(NOON + 1e6)
            assert await store.alarms(4) == alarms[:-5:-1]

    async def test_an_adjustment_that_fails_changes_nothing(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await _work(store, range(4))
            state = await store.state()
            good, wide = _some(state, 1.0), Evidence(np.eye(7), np.ones(7), np.array(1.0), np.array(1.0))
            with pytest.raises(StoreError, match="has 5 inputs, the lesson 7"):
                await store.adjust([an_alarm(1)], {_OTHER_EDGE: good, _EDGE: wide})
            with pytest.raises(InputError, match="not finite"):
                await store.adjust([an_alarm(1)], {_EDGE: good._replace(s=np.array(math.nan))})
            assert_same(await store.state(), state, rtol=0)
            assert_same(await store.rebuilt(), state)
            assert await store.alarms(5) == []

    async def test_adjusting_beside_settling_loses_nothing(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await _work(store, range(4))
            sums = _some(await store.state(), 0.5)
            await asyncio.gather(
                *(_twice(store, a_dispatch(number)) for number in range(4, 68)),
                *(store.adjust([an_alarm(number)], {_EDGE: sums}) for number in range(20)),
            )
            state = await store.state()
            assert_same(state, await store.rebuilt())
            assert sorted(alarm.seen for alarm in await store.alarms(100)) == list(range(20))
        assert float(state.evidence[_EDGE].n) == pytest.approx(34.0 + 20 * float(sums.n))

    # Once and only once

    async def test_settling_twice_counts_once(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await settle(store, a_dispatch(1))
            state = await store.state()
            other = a_settlement(a_dispatch(1), ok=False)
            assert not await store.settle(other)
            assert not await store.settle(a_settlement(a_dispatch(1)))
            assert_same(await store.state(), state, rtol=0)
            assert (await store.trail("decision-000001")).outcome == a_settlement(a_dispatch(1)).outcome

    async def test_a_source_judges_once_and_two_sources_twice(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            dispatch = a_dispatch(0)
            settlement = await settle(store, dispatch)
            judged = [await judge(store, dispatch, settlement, q, source) for q, source in _JUDGEMENTS]
            sums = (await store.state()).evidence[Edge("qa", "small", "quality", "v1")]
            assert_same(await store.state(), await store.rebuilt())
        assert judged == [True, False, True, False]
        assert (float(sums.n), float(sums.b[0])) == pytest.approx((2.0, 0.5))

    async def test_beginning_twice_keeps_the_first(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            store.begin(a_dispatch(1))
            store.begin(replace(a_dispatch(1), reserved_usd=9.0))
            assert (await store.trail("decision-000001")).dispatch == a_dispatch(1)
            assert len(await _all(store.trails())) == 1

    async def test_many_at_once_each_count_once(self, make_store: MakeStore) -> None:
        """256 tasks, each settling and judging twice at the same time."""
        async with _opened(make_store) as store:
            results = await asyncio.gather(*(_twice(store, a_dispatch(number)) for number in range(256)))
            state = await store.state()
            assert_same(state, await store.rebuilt())
        assert all(sorted(settled) == sorted(judged) == [False, True] for settled, judged in results)
        quality = [sums for edge, sums in state.evidence.items() if edge.signal == "quality"]
        assert sum(float(sums.n) for sums in quality) == 256

    async def test_a_cancelled_caller_loses_nothing_and_doubles_nothing(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            dispatches = [a_dispatch(number) for number in range(64)]
            for dispatch in dispatches:
                store.begin(dispatch)
            tasks = [asyncio.ensure_future(store.settle(a_settlement(dispatch))) for dispatch in dispatches]
            await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for dispatch in dispatches:
                await store.settle(a_settlement(dispatch))
            state = await store.state()
            assert_same(state, await store.rebuilt())
        tokens = [sums for edge, sums in state.evidence.items() if edge.signal == "log_tokens"]
        assert sum(float(sums.n) for sums in tokens) == 64

    # What cannot be

    async def test_an_unknown_decision_is_an_error(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            dispatch = a_dispatch(1)
            settlement = a_settlement(dispatch)
            with pytest.raises(UnknownDecisionError):
                await store.settle(settlement)
            with pytest.raises(UnknownDecisionError):
                await judge(store, dispatch, settlement, 0.5)
            with pytest.raises(UnknownDecisionError):
                await store.trail("decision-000001")
            assert await store.state() == State({}, {}, {})

    async def test_what_fails_takes_nothing_with_it(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            for number in range(3):
                store.begin(a_dispatch(number))
            settling = [store.settle(a_settlement(a_dispatch(number))) for number in (0, 77, 1, 0, 2)]
            unknown = (await asyncio.gather(*settling, return_exceptions=True))[1]
            assert isinstance(unknown, UnknownDecisionError)
            assert await store.unsettled() == []
            assert_same(await store.state(), await store.rebuilt())

    async def test_what_was_not_served_cannot_be_judged(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            waiting, failed = a_dispatch(0), a_dispatch(2)
            store.begin(waiting)
            await settle(store, failed, ok=False)
            for dispatch in (waiting, failed):
                with pytest.raises(NotServedError):
                    await judge(store, dispatch, a_settlement(dispatch), 0.5)
            assert_same(await store.state(), await store.rebuilt())

    async def test_numbers_that_would_spoil_the_sums_are_refused(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            dispatch = a_dispatch(1)
            settlement = a_settlement(dispatch)
            store.begin(dispatch)
            lesson = replace(settlement.lessons[0], values=(None, math.nan, None))
            with pytest.raises(InputError):
                await store.settle(replace(settlement, lessons=(lesson,)))
            with pytest.raises(InputError):
                await store.settle(replace(settlement, charges=(Charge(DAY, math.inf),)))
            with pytest.raises(InputError):
                store.begin(Dispatch(replace(dispatch.decision, decision_id="other", at=math.nan)))
            assert await store.settle(settlement)
            assert_same(await store.state(), await store.rebuilt())

    async def test_text_that_is_no_unicode_is_refused(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            with pytest.raises(InputError):
                store.begin(Dispatch(replace(a_dispatch(1).decision, tenant="\ud800")))
            assert await _all(store.trails()) == []

    # Forgetting

    async def test_pruning_forgets_rows_and_keeps_their_sums(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await _work(store, range(700))
            store.begin(a_dispatch(900))
            state = await store.state()
            assert await store.prune(NOON + 650.0) == 650
            assert_same(await store.state(), state)
            assert_same(await store.rebuilt(), state)
            assert len(await _all(store.trails())) == 51
            with pytest.raises(UnknownDecisionError):
                await store.trail("decision-000001")
            assert await store.prune(NOON + 650.0) == 0

    async def test_pruning_keeps_what_has_no_outcome(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            store.begin(a_dispatch(1))
            await settle(store, a_dispatch(2))
            assert await store.prune(NOON + 10.0) == 1
            assert await store.unsettled() == [a_dispatch(1)]
            assert await store.settle(a_settlement(a_dispatch(1)))
            assert_same(await store.state(), await store.rebuilt())

    async def test_pruned_paces_count_by_when_they_were_written(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await settle(store, a_dispatch(9))
            await settle(store, a_dispatch(1))
            await store.prune(NOON + 5.0)
            rebuilt = await store.rebuilt()
        assert rebuilt.paces == {"paced": a_settlement(a_dispatch(1)).paces[0]}

    # Opening and closing

    async def test_opening_again_finds_everything(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await _work(store, range(20))
            store.begin(a_dispatch(30))
            before = await _all(store.trails()), await store.state(), await store.unsettled()
        async with _opened(make_store) as store:
            assert (await _all(store.trails()), await store.unsettled()) == (before[0], before[2])
            assert_same(await store.state(), before[1], rtol=0)
            await _work(store, range(40, 45))
            assert_same(await store.state(), await store.rebuilt())

    async def test_closing_writes_what_waits(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            store.begin(a_dispatch(1))
        async with _opened(make_store) as store:
            assert await store.unsettled() == [a_dispatch(1)]

    async def test_closing_twice_does_nothing(self, make_store: MakeStore) -> None:
        store = make_store()
        await store.open()
        await store.aclose()
        await store.aclose()

    async def test_a_closed_store_says_so(self, make_store: MakeStore) -> None:
        store = make_store()
        await store.open()
        await store.aclose()
        dispatch = a_dispatch(1)
        with pytest.raises(StoreError):
            store.begin(dispatch)
        for call in (
            store.settle(a_settlement(dispatch)),
            judge(store, dispatch, a_settlement(dispatch), 0.5),
            store.trail("x"),
            store.state(),
            store.recent(1),
            store.prune(0.0),
        ):
            with pytest.raises(StoreError):
                await call

    # Sharing

    async def test_two_stores_on_the_same_data_count_together(self, make_store: MakeStore) -> None:
        if not self.shared:
            pytest.skip("stores of this kind do not share data")
        async with _opened(make_store) as one, _opened(make_store) as two:
            for start in range(0, 200, 20):
                await asyncio.gather(_work(one, range(start, start + 10)), _work(two, range(start + 10, start + 20)))
            state = await one.state()
            assert_same(state, await two.state(), rtol=0)
            assert_same(state, await two.rebuilt())
        tokens = [sums for edge, sums in state.evidence.items() if edge.signal == "log_tokens"]
        assert sum(float(sums.n) for sums in tokens) == 200


_EDGE = Edge("qa", "small", "quality", "v1")
_OTHER_EDGE = Edge("code", "small", "quality", "v1")


def _some(state: State, share: float) -> Evidence:
    """A share of what is known of an edge."""
    return Evidence(*(share * part for part in state.evidence[_EDGE]))


_JUDGEMENTS: Sequence[tuple[float, str]] = ((0.25, "user"), (0.75, "user"), (0.25, "judge"), (0.25, "judge"))


@asynccontextmanager
async def _opened(make_store: MakeStore) -> AsyncGenerator[Store]:
    store = make_store()
    await store.open()
    try:
        yield store
    finally:
        await store.aclose()


async def _work(store: Store, numbers: Iterable[int], *, as_if: Sequence[int] | None = None) -> None:
    """Settles and judges decisions of these numbers; `as_if` gives the numbers that their contents come from."""
    numbers = list(numbers)
    for number, content in zip(numbers, as_if or numbers, strict=True):
        dispatch = a_dispatch(content)
        dispatch = replace(dispatch, decision=replace(dispatch.decision, decision_id=f"decision-{number:06d}"))
        settlement = await settle(store, dispatch)
        await judge(store, dispatch, settlement, (content % 10) / 10)


async def _twice(store: Store, dispatch: Dispatch) -> tuple[list[bool], list[bool]]:
    store.begin(dispatch)
    settlement = a_settlement(dispatch)
    settled = await asyncio.gather(store.settle(settlement), store.settle(settlement))
    judged = await asyncio.gather(*(judge(store, dispatch, settlement, 0.5) for _ in range(2)))
    return list(settled), list(judged)
