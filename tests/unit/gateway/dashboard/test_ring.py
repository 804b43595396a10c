"""Rings keep the newest stretches, hand older ones on, and lose nothing while a coarser ring has room."""

from hypothesis import given
from hypothesis import strategies as st

from banditroute.gateway.dashboard.ring import Mark, rings


def made():
    return rings(("a minute", 10.0, 6), ("an hour", 60.0, 60))


def add(fine, instant, requests=1):
    stretch = fine.at(instant)
    if stretch is not None:
        stretch.requests += requests
    return stretch


def total(ring, now):
    return sum(stretch.requests for _, stretch in ring.span(now))


def test_what_is_older_than_a_ring_is_in_the_coarser_one():
    fine, coarse = made()
    for instant in range(0, 600, 10):
        add(fine, float(instant))
    assert [at for at, _ in fine.span(599.0)] == [540.0, 550.0, 560.0, 570.0, 580.0, 590.0]
    assert (total(fine, 599.0), total(coarse, 599.0)) == (6, 60)
    assert [(at, stretch.requests) for at, stretch in coarse.span(599.0)] == [(60.0 * n, 6) for n in range(10)]


def test_what_comes_late_goes_to_the_ring_that_still_has_its_time():
    fine, coarse = made()
    add(fine, 1_000.0)
    add(fine, 100.0)
    assert (total(fine, 1_000.0), total(coarse, 1_000.0)) == (1, 2)


def test_what_is_older_than_every_ring_is_not_counted_any_more():
    fine, coarse = made()
    for instant in (100_000.0, 200_000.0, 300_000.0):
        add(fine, instant)
    assert [total(ring, 300_000.0) for ring in (fine, coarse)] == [1, 1]
    assert add(fine, 50.0) is None


def test_nothing_is_shown_that_time_has_left_behind_though_nothing_new_came():
    fine, _ = made()
    add(fine, 100.0)
    assert fine.span(159.0)
    assert fine.span(161.0) == []


def test_merging_adds_everything_and_keeps_the_first_mark():
    fine, coarse = made()
    for at, spent in ((0.0, 1.0), (10.0, 2.0)):
        stretch = fine.at(at)
        assert stretch is not None
        stretch.spent_usd, stretch.failed, stretch.judging_usd = spent, 1, 0.5
        stretch.marks = {"cap": Mark(at, spent, 0.0)}
        stretch.edges["qa", "small"] = 3
        tally = stretch.of("small")
        tally.answers, tally.judged, tally.quality, tally.seconds_s = 3, 2, 1.5, 9.0
    ((_, merged),) = coarse.span(20.0)
    assert (merged.spent_usd, merged.failed, merged.judging_usd) == (3.0, 2, 1.0)
    assert merged.marks == {"cap": Mark(0.0, 1.0, 0.0)}
    assert merged.edges == {("qa", "small"): 6}
    assert (merged.of("small").answers, merged.of("small").quality, merged.of("small").seconds_s) == (6, 3.0, 18.0)
    assert fine.at(0.0).requests == 0, "looking changed nothing"  # type: ignore[union-attr]


@given(st.lists(st.floats(0.0, 3_000.0), min_size=1, max_size=120))
def test_nothing_is_lost_or_counted_twice_within_the_coarsest_ring(instants):
    fine, coarse = made()
    for instant in instants:
        assert add(fine, instant) is not None
    assert total(coarse, max(instants)) == len(instants)
    assert len(fine.span(max(instants))) <= 6
