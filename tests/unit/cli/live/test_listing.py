"""Bills as tokens at list prices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banditroute.cli.live.listing import LISTED, billed_usage
from banditroute.cli.live.rows import shipped_rows
from banditroute.records import Usage
from banditroute.routing.catalog import Price


def test_every_bill_in_the_tables_is_reproduced_and_hardly_a_prompt_token_moved() -> None:
    moved = []
    for row in shipped_rows():
        for model, outcome in row.outcomes.items():
            price = LISTED[model].price
            usage = billed_usage(outcome.cost_usd, row.input_tokens, price)
            assert price.cost_usd(usage) == pytest.approx(outcome.cost_usd, rel=1e-12)
            moved.append(abs(usage.input_tokens - row.input_tokens))
    assert max(moved) <= 4


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 400), st.integers(1, 2000))
def test_whatever_tokens_cost_they_are_found_again_at_their_price(
    prompt: int, answer: int, input_cents: int, output_cents: int
) -> None:
    price = Price(input_cents / 100, output_cents / 100)
    cost_usd = price.cost_usd(Usage(prompt, answer))
    usage = billed_usage(cost_usd, prompt, price)
    assert price.cost_usd(usage) == pytest.approx(cost_usd, rel=1e-9)


def test_a_bill_that_no_tokens_make_is_rounded_to_the_nearest_answer() -> None:
    assert billed_usage(10.4e-6, 0, Price(1.0, 1.0)) == Usage(0, 10)
    assert billed_usage(0.0, 3, Price(1.0, 1.0)) == Usage(3, 1)
