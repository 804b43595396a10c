"""Sums of a month: every part sums to the whole, to the last trillionth of a dollar."""

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from banditroute.records import Attempt, Context, Decision, Feedback, Outcome, Usage
from banditroute.reports.month.calendar import month_of
from banditroute.reports.month.gathering import Gathering, sums_of
from banditroute.reports.month.sample import Sample
from banditroute.reports.month.sums import picos, total_of
from banditroute.routing.budgets import PacedBudget, Scope, Window
from banditroute.storage.protocol import Charge, Dispatch, Trail

NOVEMBER, DECEMBER = 1_793_491_200.0, 1_796_083_200.0
MONTH = month_of("2026-11", DECEMBER)
PACE = PacedBudget("pace", 0.001, Scope("tenant", "shop"))
DOLLARS = st.floats(min_value=0.0, max_value=50.0)


def a_trail(
    number: int = 0,
    *,
    at: float = NOVEMBER + 1.0,
    tenant: str = "shop",
    task: str = "qa",
    chosen: str = "small",
    served: str | None = None,
    usd: float | None = 0.01,
    attempts: tuple[Attempt, ...] = (),
    quality: float | None = None,
    pinned: bool = False,
    estimated: bool = False,
) -> Trail:
    decision_id = f"d{number}"
    propensities = {"small": 0.5, "large": 0.5}
    decision = Decision(
        decision_id, at, Context(task, (), 100), chosen, 0.5, propensities, {}, {}, tenant=tenant, pinned=pinned
    )
    dispatch = Dispatch(decision)
    if usd is None:
        return Trail(dispatch)
    served = chosen if served is None else served
    outcome = Outcome(
        decision_id, served, at + 1.0, Usage(100, 10), usd, 1.0, ok=bool(served), estimated=estimated, attempts=attempts
    )
    charges = (Charge(Window("month", "2026-11"), usd), Charge(Window("day", "2026-11-01"), usd))
    feedback = () if quality is None else (Feedback(decision_id, quality),)
    return Trail(dispatch, outcome, charges, feedback)


def gathering(*trails: Trail, most: int = 100) -> Gathering:
    found = Gathering(MONTH, (PACE,), Sample(most))
    for trail in trails:
        found.add(trail)
    return found


@st.composite
def some_trails(draw):
    found = []
    for number in range(draw(st.integers(0, 25))):
        chosen, other = draw(st.permutations(["small", "large"]))
        costs = draw(st.lists(DOLLARS, max_size=3))
        attempts = tuple(Attempt(draw(st.sampled_from([chosen, other])), 1.0, usd) for usd in costs)
        found.append(
            a_trail(
                number,
                at=draw(st.floats(NOVEMBER - 3e6, DECEMBER + 3e6)),
                tenant=draw(st.sampled_from(["", "shop", "search"])),
                task=draw(st.sampled_from(["qa", "code", "judge:fair"])),
                chosen=chosen,
                served=draw(st.sampled_from([chosen, other, ""])),
                usd=draw(st.none() | st.just(sum(costs)) | DOLLARS),
                attempts=attempts,
                quality=draw(st.none() | st.floats(0.0, 1.0)),
                estimated=draw(st.booleans()),
            )
        )
    return found


@given(some_trails())
def test_every_division_sums_to_the_total(trails):
    found = gathering(*trails).traffic()
    within = [each for each in trails if NOVEMBER <= each.decision.at < DECEMBER]
    by_hand = sum(picos(each.outcome.cost_usd) for each in within if each.outcome is not None)
    assert found.total.picos == by_hand
    assert found.total.requests + found.total.judge_calls == len(within)
    for parts in (found.tenants.values(), found.tasks.values(), found.models.values(), [w.sums for w in found.weeks]):
        together = total_of(parts)
        assert (together.quality_sum, together.square_sum) != (None, None)
        assert math.isclose(together.quality_sum, found.total.quality_sum, abs_tol=1e-9)
        same = replace(together, quality_sum=found.total.quality_sum, square_sum=found.total.square_sum)
        assert same == found.total
    assert math.isclose(found.days_usd.sum(), found.total.usd, abs_tol=1e-9)


def test_a_failed_call_is_paid_by_the_model_that_was_called():
    attempts = (Attempt("small", 1.0, 0.002, "TimedOutError"), Attempt("large", 1.0, 0.03))
    found = gathering(a_trail(served="large", usd=0.032, attempts=attempts)).traffic()
    assert {name: (sums.requests, sums.usd) for name, sums in found.models.items()} == {
        "large": (1, 0.03),
        "small": (0, 0.002),
    }


def test_the_edges_of_the_month():
    inside = (a_trail(1, at=NOVEMBER), a_trail(2, at=DECEMBER - 1e-3))
    outside = (a_trail(3, at=NOVEMBER - 1e-3), a_trail(4, at=DECEMBER))
    found = gathering(*inside, *outside)
    assert found.traffic().total.requests == 2
    assert (found.traffic().days_usd[0], found.traffic().days_usd[-1]) == (0.01, 0.01)
    assert found.mix == {"qa": {"small": 1}}


def test_charges_count_in_their_windows_whenever_the_decision_was_made():
    found = gathering(a_trail(1, at=NOVEMBER - 1.0), a_trail(2))
    assert found.charged[Window("month", "2026-11")] == picos(0.02)


def test_judges_calls_cost_and_are_neither_requests_nor_judged_nor_paced():
    judging = a_trail(1, task="judge:fair", usd=0.5, quality=0.1)
    found = gathering(judging, a_trail(2, quality=1.0))
    total = found.traffic().total
    assert (total.requests, total.judge_calls, total.usd, total.judged, total.quality) == (1, 1, 0.51, 1, 1.0)
    assert (found.paced["pace"].requests, found.paced["pace"].usd) == (1, 0.01)
    assert found.sample.seen == 1


def test_open_failed_and_estimated_decisions_are_told_apart():
    trails = (a_trail(1, usd=None), a_trail(2, served="", usd=0.25), a_trail(3, usd=0.5, estimated=True))
    total = gathering(*trails).traffic().total
    assert (total.requests, total.still_open, total.failed) == (3, 1, 1)
    assert (total.estimated, total.estimated_usd, total.usd) == (1, 0.5, 0.75)


def test_what_a_caller_named_is_no_evidence():
    found = gathering(a_trail(1, pinned=True), a_trail(2), a_trail(3, usd=None))
    assert (found.sample.seen, found.sample.kept) == (1, 1)


def test_dollars_that_are_no_number_count_for_nothing():
    assert sums_of(a_trail(usd=math.inf)).picos == 0


def test_a_sample_is_bounded_and_fair():
    kept = dict.fromkeys(range(40), 0)
    for seed in range(300):
        sample = Sample(10, seed=seed)
        for number in range(40):
            sample.offer(a_trail(number))
        assert (sample.seen, sample.kept, round(sample.usd, 9)) == (40, 10, 0.4)
        loaded = sample.log("month")
        assert loaded is not None
        for name in loaded.log.ids:
            kept[int(name.removeprefix("d"))] += 1
    # Each is kept 75 times on average, sd 7.5; five of these leave one of 40 outside once in 40,000.
    assert all(abs(times - 75) < 5 * 7.5 for times in kept.values())
