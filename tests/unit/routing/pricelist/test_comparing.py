"""Prices held against each other."""

import math

from hypothesis import given
from hypothesis import strategies as st

from banditroute.records import Usage
from banditroute.routing.catalog import Price, Tier
from banditroute.routing.pricelist import Change, changes

usd = st.sampled_from([0.0, 0.1, 1.0, 2.0])
maybe = st.none() | usd


@st.composite
def prices(draw: st.DrawFn, part: st.SearchStrategy[float | None] = maybe) -> Price:
    def rates() -> Price:
        return Price(draw(usd), draw(usd), draw(part), draw(part), draw(part))

    base = rates()
    bounds = sorted(draw(st.sets(st.sampled_from([100, 200, 300]))))
    own = (base.input_usd_per_mtok, base.output_usd_per_mtok, base.cached_input_usd_per_mtok)
    return Price(
        *own, base.cache_write_usd_per_mtok, base.reasoning_usd_per_mtok, tuple(Tier(each, rates()) for each in bounds)
    )


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    whole, out = draw(st.integers(0, 400)), draw(st.integers(0, 400))
    cached = draw(st.integers(0, whole))
    return Usage(
        input_tokens=whole,
        output_tokens=out,
        cached_input_tokens=cached,
        cache_write_tokens=draw(st.integers(0, whole - cached)),
        reasoning_tokens=draw(st.integers(0, out)),
    )


@given(prices(), prices(usd), usages())
def test_prices_without_a_difference_bill_alike(here: Price, listed: Price, usage: Usage) -> None:
    if not list(changes(here, listed)):
        assert math.isclose(here.cost_usd(usage), listed.cost_usd(usage), abs_tol=1e-12)
    assert list(changes(here, here)) == []


def test_what_is_left_out_counts_as_what_it_stands_for() -> None:
    assert list(changes(Price(3, 15), Price(3, 15, 3, 3, 15))) == []
    assert list(changes(Price(3, 15), Price(3, 15, 0.3))) == [Change("cached_input_usd_per_mtok", 0, 3, 0.3)]


def test_a_list_that_is_silent_says_nothing_against_a_price() -> None:
    assert list(changes(Price(3, 15, 0.3, 3.75, 20), Price(3, 15))) == []


def test_a_tier_that_only_one_side_has_is_a_difference_above_its_bound() -> None:
    long = (Tier(200_000, Price(6, 22.5)),)
    found = list(changes(Price(3, 15), Price(3, 15, tiers=long)))
    assert [(each.key, each.above_input_tokens, each.share) for each in found][:2] == [
        ("input_usd_per_mtok", 200_000, 1.0),
        ("output_usd_per_mtok", 200_000, 0.5),
    ]


def test_a_difference_that_goes_on_above_a_bound_is_told_once() -> None:
    tier = (Tier(1_000, Price(3, 15)),)
    keys = [each.key for each in changes(Price(2, 15, 1, 1, tiers=tier), Price(1, 15, 1, 1, tiers=tier))]
    assert keys == ["input_usd_per_mtok"]


def test_a_price_of_nothing_changes_without_end() -> None:
    assert next(changes(Price(0, 0), Price(1, 2))).share == math.inf
