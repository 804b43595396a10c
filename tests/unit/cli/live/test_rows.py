"""What the demo asks."""

import pytest

from banditroute.cli.live.rows import DemoRow, best_of, cheapest_of, id_in, prompt_of, shipped_rows
from banditroute.routing.requests import chat_request, input_tokens


@pytest.fixture(scope="module")
def shipped() -> list[DemoRow]:
    return shipped_rows()


def test_both_tables_make_one_stream_of_different_requests(shipped: list[DemoRow]) -> None:
    assert len({row.id for row in shipped}) == len(shipped) == 1500
    assert {len(row.features) for row in shipped} == {25}
    assert {len(row.outcomes) for row in shipped} == {3}


def test_a_prompt_names_its_row_and_is_about_as_long_as_the_measured_one(shipped: list[DemoRow]) -> None:
    for row in shipped:
        prompt = prompt_of(row)
        assert id_in(prompt) == row.id
        assert 0 <= input_tokens(chat_request(prompt, {})) - row.input_tokens <= 8


def test_a_prompt_that_names_no_row() -> None:
    assert id_in("What is the capital of France?") == ""


def test_the_best_and_the_cheapest_model(shipped: list[DemoRow]) -> None:
    assert best_of(shipped) == "gemini-2.5-pro"
    assert cheapest_of(shipped) == "llama-3.1-8b-instruct"
