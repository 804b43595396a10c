"""The contract of a Store as tests that any implementation can run.

Subclass the suite in a test module and give it a fixture:

    class TestMyStore(StoreContract):
        @pytest.fixture
        def make_store(self, tmp_path):
            return lambda: MyStore(tmp_path / "log")

Every call of `make_store` must give a store on the same data; the suite has one open at a time, except where its
`shared` says that several may be. A store that processes exchange news through has to pass `SharingContract` too, which
is a subclass. One that was told to keep prompts has to pass `PromptsContract`. All need pytest with pytest-asyncio in
auto mode.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import permutations
from random import Random
from typing import ClassVar, cast

import numpy as np
import pytest

from banditroute.errors import InputError, NotServedError, StoreError, UnknownDecisionError
from banditroute.learning.evidence import Evidence, decayed, sound
from banditroute.records import Feedback, Incident
from banditroute.routing.lessons import Edge, lesson_of
from banditroute.storage.memory import MemoryStore
from banditroute.storage.protocol import (
    Charge,
    Deleted,
    Dispatch,
    Named,
    Paid,
    Settlement,
    SharedStore,
    State,
    Store,
    StoredKey,
    Switch,
    Trail,
    Window,
)
from banditroute.storage.sharing import Ask, Grant, News, OpenCircuit, Report, Sharing
from banditroute.testing.store_records import DAY, MONTH, NOON, a_dispatch, a_settlement, an_alarm, assert_same

MakeStore = Callable[[], Store]

_OWN = Window("tenant:acme per day", DAY.period)


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

    async def test_decisions_are_found_by_their_callers_names_newest_first(self, make_store: MakeStore) -> None:
        named = [
            replace(a_dispatch(number), request_id="r — 🦜" if number % 2 else "", session_id="s")
            for number in range(5)
        ]
        other = replace(a_dispatch(7), request_id='r — 🦜"', session_id="t")
        other = replace(other, decision=replace(other.decision, tenant="globex"))
        async with _opened(make_store) as store:
            for dispatch in (*named, other, a_dispatch(8)):
                store.begin(dispatch)
            settled = await store.settle(a_settlement(named[3]))
            by_request = await store.find(Named(request_id="r — 🦜"), 9)
            by_session = await store.find(Named(session_id="s", tenant="acme"), 3)
            nobodys = [*await store.find(Named(session_id="s", tenant="globex"), 9), *await store.find(Named("s"), 9)]
            assert [t.dispatch for t in await store.find(Named(session_id="t", tenant="globex"), 9)] == [other]
        assert settled
        assert [trail.dispatch for trail in by_request] == [named[3], named[1]]
        assert [trail.outcome is None for trail in by_request] == [False, True]
        assert [trail.dispatch for trail in by_session] == [named[4], named[3], named[2]]
        assert nobodys == []

    async def test_what_is_pruned_is_found_no_more(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await settle(store, replace(a_dispatch(1), request_id="r", session_id="s"))
            await store.prune(NOON + 1e6)
            assert [*await store.find(Named(request_id="r"), 9), *await store.find(Named(session_id="s"), 9)] == []

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
        assert state.paid == {"paced": Paid(1, settlement.outcome.cost_usd)}

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

    async def test_incidents_come_back_newest_first_and_each_once(self, make_store: MakeStore) -> None:
        text = "'; DROP TABLE — \u2028 🦜"
        first = Incident(NOON, "started", "", "banditroute began", "", "a")
        others = [Incident(NOON + 1.5 * n, "circuit", f"model {n}", text, "because", "b") for n in (3, 1, 2)]
        async with _opened(make_store) as store:
            assert await store.incidents(0.0, 10) == []
            for incident in (first, *others, others[0]):
                await store.note(incident)
        async with _opened(make_store) as store:
            found = await store.incidents(0.0, 10)
            assert found == [others[0], others[2], others[1], first]
            assert await store.incidents(NOON + 1.5, 2) == found[:2]
            assert await store.incidents(NOON + 5.0, 10) == []
            assert await store.incidents(0.0, 0) == []

    async def test_incidents_that_cannot_be_kept_are_refused(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            for at, text in ((math.nan, "x"), (math.inf, "x"), (NOON, "\ud800")):
                with pytest.raises(InputError):
                    await store.note(Incident(at, "started", "", text))
            assert await store.incidents(0.0, 10) == []

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
            await _work_at_once(store, range(700))
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

    # Deleting a tenant

    async def test_a_deleted_tenant_leaves_what_had_been_without_it(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await _tenants(store, range(300))
            whole = await store.state()
            deleted = await store.delete_tenant("acme")
            trails, state, rebuilt = await _all(store.trails()), await store.state(), await store.rebuilt()
            with pytest.raises(UnknownDecisionError):
                await store.trail("decision-000000")
            again = await store.delete_tenant("acme")
        assert deleted == Deleted(100, 50)
        assert {trail.decision.tenant for trail in trails} == {"other", 'the "other", acme'}
        assert len(trails) == 200
        assert_same(replace(state, evidence=_seen(state)), replace(rebuilt, evidence=_seen(rebuilt)))
        async with _opened(lambda: MemoryStore()) as without:
            await _tenants(without, [number for number in range(300) if number % 3])
            expected = _seen(await without.state())
        _assert_alike(_seen(state), expected)
        assert _seen(state).keys() < _seen(whole).keys(), "a class that was the tenant's alone"
        assert again == Deleted()

    async def test_what_a_deleted_tenant_spent_stays_spent(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await _tenants(store, range(9))
            before = await store.state()
            assert _OWN in before.spent_usd
            await store.delete_tenant("acme", [_OWN.budget])
            after, rebuilt = await store.state(), await store.rebuilt()
        assert after.spent_usd == pytest.approx({DAY: before.spent_usd[DAY], MONTH: before.spent_usd[MONTH]})
        assert rebuilt.spent_usd == pytest.approx(after.spent_usd)
        assert after.paces == rebuilt.paces == {"paced": before.paces["paced"]}
        assert after.paid.keys() == rebuilt.paid.keys() == {"paced"}
        assert after.paid["paced"].requests == rebuilt.paid["paced"].requests == 9

    async def test_what_a_tenant_has_on_its_way_stays_until_it_has_come(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            store.begin(a_dispatch(1))
            await settle(store, a_dispatch(2))
            assert await store.delete_tenant("acme") == Deleted(decisions=1, left=1)
            assert await store.unsettled() == [a_dispatch(1)]
            assert await store.settle(a_settlement(a_dispatch(1)))
            assert await store.delete_tenant("acme") == Deleted(decisions=1)
            assert not _seen(await store.state())
            assert not _seen(await store.rebuilt())

    async def test_a_deleted_tenant_has_no_keys(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            keys = [StoredKey(f"id-{each}", each, b"digest", tenant=each) for each in ("acme", "other", "")]
            for key in keys:
                await store.keep_key(key)
            assert await store.delete_tenant("acme") == Deleted(keys=1)
            assert {key.name for key in await store.keys()} == {"other", ""}

    async def test_what_faded_of_a_deleted_tenant_is_not_taken_off_the_others(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await _tenants(store, range(120))
            faded = {edge: decayed(sums, -0.5) for edge, sums in (await store.state()).evidence.items()}
            await store.adjust([], faded)
            await store.delete_tenant("acme")
            state, rebuilt = await store.state(), await store.rebuilt()
        _assert_alike(_seen(state), _seen(rebuilt))
        async with _opened(lambda: MemoryStore()) as without:
            await _tenants(without, [number for number in range(120) if number % 3])
            expected = {edge: decayed(sums, 0.5) for edge, sums in _seen(await without.state()).items()}
        _assert_alike(_seen(state), expected)

    async def test_deleting_after_an_alarm_leaves_sums_that_can_be(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await _tenants(store, range(60))
            await store.adjust([an_alarm(1)], {e: decayed(s, -1.0) for e, s in (await store.state()).evidence.items()})
            await _tenants(store, range(60, 63))
            await store.prune(NOON + 20.0)
            await store.delete_tenant("acme")
            state, rebuilt = await store.state(), await store.rebuilt()
        _assert_alike(_seen(state), _seen(rebuilt))
        assert all(sound(sums) and sums.n > -1e-6 for sums in state.evidence.values())

    async def test_deleting_beside_settling_loses_nothing(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            await _tenants(store, range(150))
            dispatches = [_of_tenant(number) for number in range(151, 300, 3)]
            await asyncio.gather(store.delete_tenant("acme"), *(settle(store, each) for each in dispatches))
            trails, state, rebuilt = await _all(store.trails()), await store.state(), await store.rebuilt()
        assert len(trails) == 100 + len(dispatches)
        _assert_alike(_seen(state), _seen(rebuilt))

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


class SharingContract(StoreContract):
    """What a store must do that several processes exchange news through; see the module."""

    # Who is there

    async def test_others_are_those_that_are_alive(self, make_store: MakeStore) -> None:
        async with _sharing(make_store) as store:
            assert (await store.exchange(_report("a"))).others == ()
            assert (await store.exchange(_report("c"))).others == ("a",)
            assert (await store.exchange(_report("b"))).others == ("a", "c")
            assert (await store.exchange(_report("a"))).others == ("b", "c")
            await store.exchange(_report("b", leaving=True))
            assert (await store.exchange(_report("a"))).others == ("c",)

    async def test_who_is_not_heard_of_is_gone(self, make_store: MakeStore) -> None:
        async with _sharing(make_store) as store:
            await store.exchange(_report("a", alive_s=_SOON_S))
            await store.exchange(_report("b"))
            await asyncio.sleep(_LATER_S)
            assert (await store.exchange(_report("b"))).others == ()
            assert (await store.exchange(_report("a"))).others == ("b",)

    async def test_duty_is_of_who_has_been_there_longest_and_passes_on(self, make_store: MakeStore) -> None:
        async with _sharing(make_store) as store:
            assert [await _on_duty(store, name) for name in ("z", "a", "m", "z", "a")] == [
                True,
                False,
                False,
                True,
                False,
            ]
            assert not (await store.exchange(_report("z", leaving=True))).on_duty
            assert [await _on_duty(store, name) for name in ("m", "a", "z")] == [False, True, False]

    async def test_duty_passes_on_from_who_is_gone_and_does_not_return(self, make_store: MakeStore) -> None:
        async with _sharing(make_store) as store:
            assert (await store.exchange(_report("a", alive_s=_SOON_S))).on_duty
            assert not await _on_duty(store, "b")
            await asyncio.sleep(_LATER_S)
            assert [await _on_duty(store, name) for name in ("a", "b", "a")] == [False, True, False]

    # Dollars

    async def test_a_grant_is_half_of_what_nobody_has(self, make_store: MakeStore) -> None:
        async with _sharing(make_store) as store:
            assert await _grants(store, "a", _ask(0.0, 8.0)) == [pytest.approx(4.0)]
            assert await _grants(store, "b", _ask(0.0, 8.0)) == [pytest.approx(2.0)]
            assert await _grants(store, "a", _ask(4.0, 8.0)) == [pytest.approx(5.0)]
            assert await _grants(store, "c", _ask(0.0, 0.25)) == [pytest.approx(0.25)]

    async def test_what_is_spent_is_not_granted(self, make_store: MakeStore) -> None:
        async with _sharing(make_store) as store:
            settlement = await settle(store, a_dispatch(1))
            spent_usd = settlement.outcome.cost_usd
            news = await store.exchange(_report("a", asks=(_ask(0.0, 8.0), _ask(0.0, 8.0, window=_TOMORROW))))
        assert [(each.window, each.spent_usd) for each in news.grants] == [
            (DAY, pytest.approx(spent_usd)),
            (_TOMORROW, 0),
        ]
        assert [each.usd for each in news.grants] == pytest.approx([(8.0 - spent_usd) / 2, 4.0])

    async def test_grants_never_exceed_what_a_window_allows(self, make_store: MakeStore) -> None:
        rng, held, spent_usd = Random(1), dict.fromkeys("abcd", 0.0), 0.0
        async with _sharing(make_store) as store:
            for number in range(60):
                name = rng.choice("abcd")
                kept = held[name] * rng.choice((0.0, 0.5, 1.0))
                (held[name],) = await _grants(store, name, _ask(kept, kept + rng.uniform(0.0, 0.05), cap_usd=0.1))
                if held[name] > 0.02:  # dollars that it has, it may spend
                    spent_usd += (await settle(store, a_dispatch(number))).outcome.cost_usd
                    left = held[name] - a_settlement(a_dispatch(number)).outcome.cost_usd
                    assert await _grants(store, name, _ask(left, left, cap_usd=0.1)) == [pytest.approx(left)]
                    held[name] = left
                assert sum(held.values()) + spent_usd <= 0.1 + 1e-9
        assert spent_usd > 0.0

    async def test_what_is_held_is_never_refused(self, make_store: MakeStore) -> None:
        async with _sharing(make_store) as store:
            (mine,) = await _grants(store, "a", _ask(0.0, 8.0))
            await _grants(store, "b", _ask(0.0, 8.0))
            assert await _grants(store, "a", _ask(mine, mine, cap_usd=0.5)) == [pytest.approx(mine)]
            assert await _grants(store, "c", _ask(3.0, 9.0, cap_usd=0.5)) == [pytest.approx(3.0)]

    async def test_reporting_again_changes_nothing(self, make_store: MakeStore) -> None:
        """The answer to a report may be lost, and who asks again must not get more for it."""
        async with _sharing(make_store) as store:
            spent_usd = (await settle(store, a_dispatch(1))).outcome.cost_usd
            first, *others = [await store.exchange(_report("a", asks=(_ask(0.0, 2.0),))) for _ in range(3)]
            for news in others:
                assert (news.version, news.grants, news.paid, news.on_duty) == (
                    first.version,
                    first.grants,
                    first.paid,
                    True,
                )
                _assert_alike(news.evidence, first.evidence)
            rest = _ask(0.0, 8.0, cap_usd=4.0 + spent_usd)
            assert await _grants(store, "b", rest) == [pytest.approx(1.0)]

    async def test_what_is_not_asked_for_returns(self, make_store: MakeStore) -> None:
        async with _sharing(make_store) as store:
            await _grants(store, "a", _ask(0.0, 8.0), _ask(0.0, 8.0, window=MONTH))
            await _grants(store, "a", _ask(0.0, 1.0))
            assert await _grants(store, "b", _ask(0.0, 9.0), _ask(0.0, 9.0, window=MONTH)) == pytest.approx([3.5, 4.0])

    async def test_leases_return_from_who_leaves(self, make_store: MakeStore) -> None:
        async with _sharing(make_store) as store:
            await _grants(store, "a", _ask(0.0, 8.0))
            await store.exchange(_report("a", leaving=True))
            assert await _grants(store, "b", _ask(0.0, 8.0)) == [pytest.approx(4.0)]

    async def test_leases_return_when_their_time_is_up_and_not_before(self, make_store: MakeStore) -> None:
        """By then nothing of a process is in flight; that it counts as gone is not enough."""
        async with _sharing(make_store) as store:
            await store.exchange(_report("a", alive_s=_SOON_S, lease_s=2 * _LATER_S, asks=(_ask(0.0, 8.0),)))
            await asyncio.sleep(_LATER_S)
            assert (await store.exchange(_report("b", asks=(_ask(0.0, 8.0),)))).grants == (Grant(DAY, 2.0, 0.0),)
            await asyncio.sleep(2 * _LATER_S)
            assert await _grants(store, "b", _ask(2.0, 8.0)) == [pytest.approx(5.0)]

    async def test_many_at_once_are_never_granted_more_than_there_is(self, make_store: MakeStore) -> None:
        async with _sharing(make_store) as store:
            names = [f"process {number}" for number in range(16)]
            told = await asyncio.gather(*(store.exchange(_report(name, asks=(_ask(0.0, 8.0),))) for name in names))
            assert sum(each.grants[0].usd for each in told) <= 8.0 + 1e-9
            assert not any([(await store.exchange(_report(name, leaving=True))).on_duty for name in names])
            assert await _grants(store, "late", _ask(0.0, 8.0)) == [pytest.approx(4.0)]

    # What is learned and spent

    async def test_news_are_the_sums_that_changed(self, make_store: MakeStore) -> None:
        async with _sharing(make_store) as store:
            assert (await store.exchange(_report("a"))).evidence == {}
            await _work(store, range(8))
            all_of_it = await store.exchange(_report("a"))
            _assert_alike(all_of_it.evidence, (await store.state()).evidence)
            dispatch = a_dispatch(20, task="poetry")
            await judge(store, dispatch, await settle(store, dispatch), 0.75)
            news = await store.exchange(_report("a", known=all_of_it.version))
            state = await store.state()
            nothing = await store.exchange(_report("a", known=news.version))
            everything = await store.exchange(_report("b"))
        assert {edge.task for edge in news.evidence} == {"poetry"}
        assert {edge.signal for edge in news.evidence} >= {"quality", "log_tokens", "log_latency"}
        _assert_alike(news.evidence, {edge: sums for edge, sums in state.evidence.items() if edge.task == "poetry"})
        assert (nothing.evidence, nothing.version) == ({}, news.version)
        _assert_alike(everything.evidence, state.evidence)
        assert news.paid == dict(state.paid)

    async def test_adjustments_are_news(self, make_store: MakeStore) -> None:
        async with _sharing(make_store) as store:
            await _work(store, range(8))
            known = (await store.exchange(_report("a"))).version
            await store.adjust([], {_EDGE: _some(await store.state(), -0.5)})
            news = await store.exchange(_report("a", known=known))
            assert set(news.evidence) == {_EDGE}
            _assert_alike(news.evidence, {_EDGE: (await store.state()).evidence[_EDGE]})

    async def test_what_is_deleted_is_news(self, make_store: MakeStore) -> None:
        async with _sharing(make_store) as store:
            await _tenants(store, range(12))
            known = (await store.exchange(_report("a"))).version
            await store.delete_tenant("acme")
            news = await store.exchange(_report("a", known=known))
            state = await store.state()
        own = {edge: sums for edge, sums in news.evidence.items() if edge.task == "its own"}
        assert own
        assert all(abs(float(sums.n)) < 1e-9 for sums in own.values()), "told to be none, where others know some"
        _assert_alike({edge: state.evidence[edge] for edge in news.evidence}, news.evidence)

    async def test_a_version_that_never_was_has_all_told(self, make_store: MakeStore) -> None:
        async with _sharing(make_store) as store:
            await _work(store, range(4))
            news = await store.exchange(_report("a", known=10**9))
            _assert_alike(news.evidence, (await store.state()).evidence)

    async def test_sums_include_what_was_asked_for_before_and_nothing_after(self, make_store: MakeStore) -> None:
        async with _sharing(make_store) as store:
            for number in range(3):
                store.begin(a_dispatch(number))
            settling = [asyncio.ensure_future(store.settle(a_settlement(a_dispatch(number)))) for number in (0, 1)]
            exchanging = asyncio.ensure_future(store.exchange(_report("a", asks=(_ask(0.0, 1.0),))))
            settling.append(asyncio.ensure_future(store.settle(a_settlement(a_dispatch(2)))))
            assert await asyncio.gather(*settling) == [True, True, True]
            news, later = await exchanging, await store.exchange(_report("a"))
        spent_usd = sum(a_settlement(a_dispatch(number)).outcome.cost_usd for number in (0, 1))
        assert (news.paid["paced"].requests, _observations(news)) == (2, 2)
        assert [news.paid["paced"].usd, news.grants[0].spent_usd] == pytest.approx([spent_usd, spent_usd])
        assert (later.paid["paced"].requests, _observations(later)) == (3, 3)

    async def test_settling_twice_is_paid_once(self, make_store: MakeStore) -> None:
        async with _sharing(make_store) as store:
            settlement = await settle(store, a_dispatch(1))
            assert not await store.settle(settlement)
            news = await store.exchange(_report("a"))
            assert news.paid == {"paced": Paid(1, settlement.outcome.cost_usd)}
            assert await store.prune(NOON + 1e6) == 1
            assert (await store.exchange(_report("a"))).paid == news.paid
            assert_same(await store.state(), await store.rebuilt())

    # Circuits

    async def test_circuits_of_others_are_told_until_they_are_closed(self, make_store: MakeStore) -> None:
        async with _sharing(make_store) as store:
            circuit = OpenCircuit("large", 30.0, "5 failures in a row (ServerFailedError)")
            assert (await store.exchange(_report("a", circuits=(circuit,)))).circuits == ()
            (told,) = (await store.exchange(_report("b"))).circuits
            assert (told.model, told.why) == (circuit.model, circuit.why)
            assert 25.0 < told.for_s <= 30.0
            await store.exchange(_report("a"))
            assert (await store.exchange(_report("b"))).circuits == ()

    async def test_circuits_pass_with_their_time_and_with_who_leaves(self, make_store: MakeStore) -> None:
        async with _sharing(make_store) as store:
            await store.exchange(_report("a", circuits=(OpenCircuit("large", _SOON_S, "it failed"),)))
            await store.exchange(_report("c", circuits=(OpenCircuit("small", 30.0, "it failed"),)))
            await asyncio.sleep(_LATER_S)
            assert [each.model for each in (await store.exchange(_report("b"))).circuits] == ["small"]
            await store.exchange(_report("c", leaving=True))
            assert (await store.exchange(_report("b"))).circuits == ()

    # Several stores on the same data

    async def test_two_stores_on_the_same_data_tell_each_other(self, make_store: MakeStore) -> None:
        if not self.shared:
            pytest.skip("stores of this kind do not share data")
        async with _sharing(make_store) as one, _sharing(make_store) as two:
            news = await one.exchange(_report("one"))
            for start in range(0, 60, 20):
                await asyncio.gather(_work(one, range(start, start + 10)), _work(two, range(start + 10, start + 20)))
                news = await one.exchange(_report("one", known=news.version, asks=(_ask(0.0, 8.0),)))
                assert news.evidence
            (theirs,) = (await two.exchange(_report("two", asks=(_ask(0.0, 8.0),)))).grants
            everything = await two.exchange(_report("two"))
            _assert_alike(everything.evidence, (await one.state()).evidence)
            assert everything.paid == (await one.state()).paid
            assert everything.others == ("one",)
        assert theirs.usd + news.grants[0].usd + theirs.spent_usd <= 8.0
        assert everything.paid["paced"].requests == 60

    async def test_a_holder_of_a_decision_is_kept(self, make_store: MakeStore) -> None:
        async with _sharing(make_store) as store:
            mine = replace(a_dispatch(1), holder="a")
            store.begin(mine)
            store.begin(a_dispatch(2))
            assert await store.unsettled() == [mine, a_dispatch(2)]


_SOON_S, _LATER_S = 0.1, 0.3
_TOMORROW = Window("daily", "2026-11-26")


@asynccontextmanager
async def _sharing(make_store: MakeStore) -> AsyncGenerator[SharedStore]:
    async with _opened(make_store) as store:
        yield cast("SharedStore", store)


class PromptsContract:
    """What a store must do that was told to keep the messages of every request."""

    async def test_old_messages_are_forgotten_and_nothing_else(self, make_store: MakeStore) -> None:
        async with _opened(make_store) as store:
            said = b'[{"role":"user","content":"hi"}]'
            dispatches = [replace(a_dispatch(number), prompt=said) for number in range(600)]
            await asyncio.gather(*(settle(store, dispatch) for dispatch in dispatches[:599]))
            store.begin(dispatches[599])
            before = await store.state()
            assert await store.forget_prompts(NOON + 550.0) == 550
            trails = await _all(store.trails())
            kept = [trail.decision.decision_id for trail in trails if trail.dispatch.prompt is not None]
            assert kept == [dispatch.decision.decision_id for dispatch in dispatches[550:]]
            assert len(trails) == 600
            assert await store.forget_prompts(NOON + 1e6) == 49, "what has no outcome yet may still be needed"
            assert await store.forget_prompts(NOON + 1e6) == 0
            assert_same(await store.state(), before)


def _of_tenant(number: int) -> Dispatch:
    """A dispatch of one of three tenants, the first of which has a class of its own."""
    dispatch = a_dispatch(number, task="its own" if number % 6 == 0 else None)
    tenant = ("acme", "other", 'the "other", acme')[number % 3]
    windows = (*dispatch.windows, _OWN) if tenant == "acme" else dispatch.windows
    return replace(dispatch, decision=replace(dispatch.decision, tenant=tenant), windows=windows)


async def _tenants(store: Store, numbers: Iterable[int]) -> None:
    """Settles decisions of three tenants, all at once, and judges every other one."""
    await asyncio.gather(*(_one_of_tenants(store, number) for number in numbers))


async def _one_of_tenants(store: Store, number: int) -> None:
    dispatch = _of_tenant(number)
    settlement = a_settlement(dispatch)
    if _OWN in dispatch.windows:
        paces = (*settlement.paces, replace(settlement.paces[0], budget=_OWN.budget))
        settlement = replace(settlement, paces=paces)
    store.begin(dispatch)
    assert await store.settle(settlement)
    if number % 2:
        await judge(store, dispatch, settlement, number % 10 / 10)


def _seen(state: State) -> dict[Edge, Evidence]:
    """The evidence of edges of which anything is known."""
    return {edge: sums for edge, sums in state.evidence.items() if abs(float(sums.n)) > 1e-6}


def _report(
    holder: str,
    *,
    alive_s: float = 60.0,
    lease_s: float = 60.0,
    asks: tuple[Ask, ...] = (),
    circuits: tuple[OpenCircuit, ...] = (),
    known: int = 0,
    leaving: bool = False,
) -> Report:
    return Report(holder, alive_s, lease_s, asks, circuits, known, leaving)


def _ask(held_usd: float, wanted_usd: float, *, cap_usd: float = 8.0, window: Window = DAY) -> Ask:
    return Ask(window, cap_usd, held_usd, wanted_usd)


async def _grants(store: Sharing, holder: str, *asks: Ask) -> list[float]:
    news = await store.exchange(_report(holder, asks=asks))
    assert [each.window for each in news.grants] == [each.window for each in asks]
    return [each.usd for each in news.grants]


async def _on_duty(store: Sharing, holder: str) -> bool:
    return (await store.exchange(_report(holder))).on_duty


def _assert_alike(one: Mapping[Edge, Evidence], other: Mapping[Edge, Evidence]) -> None:
    assert_same(State(one, {}, {}), State(other, {}, {}))


def _observations(news: News) -> float:
    return sum(float(sums.n) for edge, sums in news.evidence.items() if edge.signal == "log_tokens")


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


async def _work_at_once(store: Store, numbers: Iterable[int]) -> None:
    """The same, of all numbers at the same time."""
    await asyncio.gather(*(_work(store, [number]) for number in numbers))


async def _twice(store: Store, dispatch: Dispatch) -> tuple[list[bool], list[bool]]:
    store.begin(dispatch)
    settlement = a_settlement(dispatch)
    settled = await asyncio.gather(store.settle(settlement), store.settle(settlement))
    judged = await asyncio.gather(*(judge(store, dispatch, settlement, 0.5) for _ in range(2)))
    return list(settled), list(judged)
