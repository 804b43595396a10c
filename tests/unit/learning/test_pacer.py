"""The owner of a paced budget: what requests under way do to its price, and what a new budget does."""

from __future__ import annotations

import numpy as np
import pytest

from banditroute.errors import InputError
from banditroute.learning.pacer import Pacer
from banditroute.learning.pacing import Pacing

EVERY = np.ones(2, dtype=np.bool_)


def test_requests_under_way_raise_the_price_until_their_bills_are_there() -> None:
    pacer = Pacer(1e-3, Pacing())
    idle = pacer.shadow_price
    for _ in range(5):
        pacer.expect(4e-3)
    assert pacer.shadow_price > idle
    for _ in range(5):
        pacer.spend(1e-3, expected_usd=4e-3)
    assert pacer.shadow_price == pytest.approx(idle)


def test_a_new_budget_leaves_a_dollar_at_its_price_and_the_bucket_half_full() -> None:
    pacer = Pacer(np.array([1e-3, 2e-3]), Pacing())
    for _ in range(50):
        pacer.spend(np.array([1.5e-3, 1.0e-3]))
    per_dollar = np.exp(pacer.pace.log_price) / np.array([1e-3, 2e-3])
    pacer.rebudget(np.array([4e-3, 4e-3]))
    np.testing.assert_allclose(np.exp(pacer.pace.log_price) / 4e-3, per_dollar)
    np.testing.assert_allclose(pacer.pace.level, 60.0)
    np.testing.assert_allclose(pacer.share(np.full((2, 1), 4e-3)), 1.0)


def test_a_new_budget_is_solved_from_recent_contexts_where_they_are_kept() -> None:
    """At a budget of 1 the dear arm costs 10 and earns .4 more: the price at which it is worth it is .04 per budget."""
    pacer = Pacer(10.0, Pacing(), resolve_at=(100,))
    for _ in range(50):
        pacer.remember(np.array([0.5, 0.9]), np.zeros(2), np.array([0.01, 1.0]), EVERY)
        pacer.spend(10.0)
    pacer.rebudget(1.0)
    assert pacer.shadow_price == pytest.approx(0.04, rel=0.05)


def test_contexts_that_are_kept_are_priced_anew() -> None:
    """The dear arm costs 10 budgets until it is announced to cost 5: then each of them is worth twice as much."""
    pacer = Pacer(1.0, Pacing(), resolve_at=(51,))
    for _ in range(50):
        pacer.remember(np.array([0.5, 0.9]), np.zeros(2), np.array([0.01, 10.0]), EVERY)
        pacer.spend(1.0)
    pacer.reprice(1, 0.5)
    pacer.spend(1.0)
    assert pacer.shadow_price == pytest.approx(0.08, rel=0.05)


def test_contexts_of_another_pacer_are_kept_at_this_ones_places() -> None:
    """There the dear arm was the first of two and cost 10 budgets; here it is the last of three, and the budget double.

    At 5 of these budgets it is worth its .4 more at a price of .08; half as dear, at twice that.
    """
    before, pacer = Pacer(1.0, Pacing()), Pacer(2.0, Pacing())
    for _ in range(100):
        before.remember(np.array([0.9, 0.5]), np.zeros(2), np.array([10.0, 0.01]), EVERY)
    before.remember(np.array([0.9, 0.5]), np.zeros(2), np.array([10.0, 0.01]), np.array([False, False]))
    pacer.recall(before, {0: 2, 1: 0}, 3)
    pacer.reprice(2, 1.0 + 1e-12)
    assert pacer.shadow_price == pytest.approx(0.08, rel=0.05)
    pacer.reprice(2, 0.5)
    assert pacer.shadow_price == pytest.approx(0.16, rel=0.05)
    pacer.reprice(1, 1e-6)
    assert pacer.shadow_price == pytest.approx(0.16, rel=0.05), "of the new arm no context knows"


def test_contexts_that_only_models_which_are_gone_could_serve_are_not_kept() -> None:
    before, pacer = Pacer(1.0, Pacing()), Pacer(1.0, Pacing())
    for _ in range(100):
        before.remember(np.array([0.9, 0.5]), np.zeros(2), np.array([10.0, 0.01]), np.array([True, False]))
    price = pacer.shadow_price
    pacer.recall(before, {1: 0}, 1)
    pacer.reprice(0, 0.1)
    assert pacer.shadow_price == price
    Pacer(None, Pacing()).recall(before, {1: 0}, 1)


def test_requests_under_way_are_measured_by_the_new_budget() -> None:
    pacer = Pacer(1e-3, Pacing())
    pacer.expect(2e-3)
    pacer.rebudget(2e-3)
    busy = pacer.shadow_price
    pacer.spend(2e-3, expected_usd=2e-3)
    assert busy == pytest.approx(pacer.shadow_price, rel=1e-2)
    assert pacer.pace.level == pytest.approx(60.0)


@pytest.mark.parametrize("budget", [0.0, -1.0, float("nan"), float("inf")])
def test_a_new_budget_is_a_positive_number(budget: float) -> None:
    with pytest.raises(InputError, match="is not a budget"):
        Pacer(1e-3, Pacing()).rebudget(budget)


def test_where_there_was_no_budget_there_is_none_to_change() -> None:
    with pytest.raises(InputError, match="no budget to change"):
        Pacer(None, Pacing()).rebudget(1e-3)


def test_an_allowance_that_moves_leaves_a_dollar_its_price_and_the_bucket_its_level() -> None:
    pacer = Pacer(0.01, Pacing())
    for _ in range(40):
        pacer.spend(0.02)
    before, level = float(pacer.shadow_price) / 0.01, pacer.pace.level
    pacer.reallow(0.008)
    assert float(pacer.shadow_price) / 0.008 == pytest.approx(before)
    assert (pacer.pace.level, pacer.paid) == (level, 40)
    assert pacer.share(np.array([0.016])).tolist() == [2.0]


def test_an_allowance_that_was_a_guess_leaves_a_budgets_worth_its_price() -> None:
    pacer = Pacer(0.01, Pacing())
    before = float(pacer.shadow_price)
    pacer.reallow(0.5, anew=True)
    assert float(pacer.shadow_price) == before


def test_there_has_to_be_a_budget_that_moves() -> None:
    with pytest.raises(InputError, match="there is no budget to change"):
        Pacer(None, Pacing()).reallow(0.5)


def test_what_others_spend_moves_a_pacer_as_if_it_had_spent_it() -> None:
    own, heard = Pacer(1e-3, Pacing(), (32,)), Pacer(1e-3, Pacing(), (32,))
    for pacer in (own, heard):
        for _ in range(8):
            pacer.remember(np.array([0.9, 0.8]), np.zeros(2), np.array([4.0, 0.5]), EVERY)
    for _ in range(40):
        own.spend(3e-3)
    heard.hear(25, 25 * 3e-3)
    heard.hear(0, 0.0)
    heard.hear(15, 15 * 3e-3)
    assert heard.paid == own.paid == 40
    assert heard.shadow_price > Pacer(1e-3, Pacing()).shadow_price
    unsolved, alone = Pacer(1e-3, Pacing()), Pacer(1e-3, Pacing())
    unsolved.hear(40, 40 * 3e-3)
    for _ in range(40):
        alone.spend(3e-3)
    assert tuple(unsolved.pace) == pytest.approx(tuple(alone.pace))
