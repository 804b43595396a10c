"""Laws of taking what rows have taught out of the sums, whatever has been pruned, has faded or was moved meanwhile."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from banditroute.learning.evidence import sound
from banditroute.routing.lessons import Edge, Lesson
from banditroute.storage import reading
from banditroute.storage.codec import dispatch_json
from banditroute.storage.deleting import Deletion
from banditroute.storage.packing import length_of, sums_of, unpacked
from banditroute.storage.sqlite import SQLiteStore
from banditroute.storage.withdrawing import needle_of, withdrawal
from banditroute.testing.store_records import a_dispatch, a_settlement, assert_same

EDGE = Edge("qa", "small", "quality", "v1")
Floats = NDArray[np.float64]

counts = st.integers(min_value=0, max_value=12)
fractions = st.floats(min_value=0.0, max_value=1.0)


def taught(count: int, seed: int) -> Floats:
    """What so many judgements teach of an edge of three inputs."""
    rng = np.random.default_rng(seed)
    lessons = [
        Lesson("qa", "small", "v1", (1.0, *rng.normal(size=2)), (float(rng.uniform()), None, None, None), 1.0)
        for _ in range(count)
    ]
    return sums_of(lessons).get(EDGE, np.zeros(length_of(3)))


def without(gone: Floats, kept: Floats, retired: Floats) -> tuple[Floats, Floats]:
    off = withdrawal({EDGE: gone}, {EDGE: kept}, {EDGE: retired})
    return kept + off.kept[EDGE], retired + off.retired.get(EDGE, np.zeros_like(retired))


def assert_sound(sums: Floats) -> None:
    assert sound(unpacked(sums))
    assert sums[-2] > -1e-6


@given(own=counts, others=counts, pruned=counts)
def test_where_nothing_has_faded_it_is_as_if_the_rows_had_never_been(own: int, others: int, pruned: int) -> None:
    gone, rest, retired = taught(own, 1), taught(others, 2), taught(pruned, 3)
    kept, before = without(gone, retired + rest + gone, retired)
    np.testing.assert_allclose(kept, retired + rest, atol=1e-9)
    np.testing.assert_allclose(before, retired, atol=1e-12)


@given(own=counts, others=counts, left=fractions)
def test_what_has_faded_alike_is_taken_off_as_faded(own: int, others: int, left: float) -> None:
    gone, rest = taught(own, 1), taught(others, 2)
    whole = gone + rest
    kept, before = without(gone, left * whole, (left - 1.0) * whole)
    np.testing.assert_allclose(kept, left * rest, atol=1e-8)
    np.testing.assert_allclose(kept - before, rest, atol=1e-8)


@settings(max_examples=200)
@given(old=counts, new=counts, others=counts, pruned=counts, left=fractions)
def test_whatever_came_when_the_sums_can_be_and_rebuilding_finds_them(
    old: int, new: int, others: int, pruned: int, left: float
) -> None:
    """Rows of the tenant from before and after the rest has faded."""
    early, late, rest, gone_before = taught(old, 1), taught(new, 2), taught(others, 3), taught(pruned, 4)
    moved = (left - 1.0) * (early + rest + gone_before)
    retired = gone_before + moved
    kept, before = without(early + late, retired + early + late + rest, retired)
    np.testing.assert_allclose(kept - before, rest, atol=1e-8)
    assert_sound(kept)
    assert kept[-2] <= others + pruned + old + new + 1e-6


def test_the_last_rows_of_an_edge_leave_nothing() -> None:
    gone = taught(7, 1)
    kept, before = without(gone, 0.3 * gone, -0.7 * gone)
    assert not kept.any()
    assert not before.any()


def test_what_an_alarm_took_away_is_not_taken_away_twice() -> None:
    gone, rest = taught(5, 1), taught(5, 2)
    kept, before = without(gone, np.zeros_like(gone), -(gone + rest))
    np.testing.assert_allclose(kept, 0.0, atol=1e-9)
    np.testing.assert_allclose(before, -rest, atol=1e-9)


@pytest.mark.parametrize("name", ["acme", 'a "quoted" one', "\\", "a\u2028b", "日本", "\x00"])
def test_a_tenants_rows_are_found_by_their_text(name: str) -> None:
    dispatch = a_dispatch(1)
    dispatch = replace(dispatch, decision=replace(dispatch.decision, tenant=name))
    assert needle_of(name) in dispatch_json(dispatch)
    assert needle_of(name + "x") not in dispatch_json(dispatch)


async def test_a_deletion_that_was_cut_short_is_taken_up_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "STRETCH", 4)
    store = SQLiteStore(tmp_path / "store.db")
    await store.open()
    for number in range(20):
        store.begin(a_dispatch(number))
        await store.settle(a_settlement(a_dispatch(number)))
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as connection:
        deletion = Deletion("acme", ())
        deletion.begin(connection)
        assert deletion.step(connection)
        assert deletion.deleted.decisions == 4
    assert_same(await store.state(), await store.rebuilt())
    assert (await store.delete_tenant("acme")).decisions == 16
    assert not any(sums.n for sums in (await store.state()).evidence.values())
    await store.aclose()
