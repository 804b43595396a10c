"""What the demo shows and says."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from banditroute.cli.live.rows import DemoRow
from banditroute.cli.live.showing import line
from banditroute.cli.live.summary import finding, kept_in, sentences, to_json
from banditroute.cli.live.tally import Tally
from banditroute.cli.live.view import picture
from banditroute.errors import UnansweredError
from banditroute.records import Answer

Rows = Callable[..., list[DemoRow]]
MakeAnswer = Callable[..., Answer]
CONFIG = Path("somewhere") / "router.toml"


@pytest.fixture
def tally(rows: Rows, answer: MakeAnswer) -> Tally:
    """100 requests: 80 to the large model, 20 to the small one, all judged."""
    stream = rows(100)
    tally = Tally(stream, budget_usd=0.01)
    for place, row in enumerate(stream):
        model = "small" if place % 5 == 0 else "large"
        tally.add_answer(row, answer(row, model, shadow_prices={"demo": 0.125}), 0.2012)
        tally.add_judgement(row, row.outcomes[model].quality)
    return tally


def test_the_finding_sets_the_bill_beside_the_best_and_the_cheapest_model(tally: Tally) -> None:
    assert finding(tally) == (
        "These 100 requests cost $0.82 at quality .820. With large for all they would have cost $1.00 at .900: "
        "$0.18 saved for .080 of quality. With small for all, $0.10 at .500."
    )


def test_the_last_words_say_what_went_wrong_and_where_to_look(tally: Tally) -> None:
    tally.fallbacks = 3
    tally.add_failure(UnansweredError({}))
    said = " ".join(sentences(tally))
    assert "allowed $0.01 a request; $0.0082 were spent" in said
    assert "3 requests were answered by another model" in said
    assert "1 were not answered (1 UnansweredError)" in said
    assert str(CONFIG) in kept_in(CONFIG)


def test_without_an_answer_it_says_so_and_why(rows: Rows) -> None:
    tally = Tally(rows(2), 0.01)
    tally.add_failure(UnansweredError({}))
    assert sentences(tally) == ["No request was answered. 1 were not answered (1 UnansweredError)."]
    assert to_json(tally, CONFIG)["routed"] == {"quality": None, "cost_usd": 0.0}


def test_json_has_the_same_figures(tally: Tally) -> None:
    found = to_json(tally, CONFIG)
    assert found["routed"] == pytest.approx({"quality": 0.82, "cost_usd": 0.82})
    assert found["best"] == pytest.approx({"model": "large", "quality": 0.9, "cost_usd": 1.0})
    assert found["share"] == {"large": 0.8, "small": 0.2}
    assert found["tasks"]["gsm8k"]["model"] == "large"
    assert found["overhead_s"] == pytest.approx(0.0012)


def test_one_line_for_a_log(tally: Tally) -> None:
    assert line(tally) == (
        "100 of 100 answered: quality .820, $0.82 (82% of the budget; large for all $1.00); 80% large, 20% small; "
        "100 judged, 0 yet to be · shadow price 0.125 · router adds 1.2 ms"
    )


@pytest.mark.parametrize("answered", [True, False])
def test_the_picture_fits_a_terminal(tally: Tally, rows: Rows, answered: bool) -> None:
    shown = StringIO()
    Console(file=shown, width=80).print(picture(tally if answered else Tally(rows(2), 0.01), 2.0))
    lines = shown.getvalue().splitlines()
    assert len(lines) < 24
    assert max(map(len, lines)) <= 80
    text = shown.getvalue()
    assert "always large" in text
    assert ("80%" in text and "50 a second" in text) is answered
