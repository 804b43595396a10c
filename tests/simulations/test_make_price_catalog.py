"""What the script takes from a price list."""

import json
from datetime import date
from importlib.util import find_spec

import pytest

import make_price_catalog as script

DAY = date(2026, 11, 26)
ROW = {"litellm_provider": "groq", "mode": "chat", "input_cost_per_token": 1e-7, "output_cost_per_token": 4e-7}
LIST = {
    "groq/good": {**ROW, "source": "https://groq.com", "supports_vision": False, "max_input_tokens": 8192},
    "good": ROW,
    "groq/ends-soon": {**ROW, "deprecation_date": "2026-12-20"},
    "groq/ends-later": {**ROW, "deprecation_date": "2027-06-30"},
    "groq/too-dear": {**ROW, "input_cost_per_token": 1e-3},
    "groq/whisper-audio": ROW,
    "acme/other": {**ROW, "litellm_provider": "acme"},
    "groq/embed": {**ROW, "mode": "embedding"},
}


@pytest.fixture
def first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "FIRST", {"groq": ("groq/good",)})


@pytest.mark.usefixtures("first")
def test_rows_that_nothing_is_wrong_with_once_each() -> None:
    assert script.chosen(json.dumps(LIST), "list.json", DAY) == ["groq/good", "groq/ends-later"]


@pytest.mark.usefixtures("first")
def test_a_first_model_that_is_not_there_stops_it() -> None:
    rows = {name: row for name, row in LIST.items() if "good" not in name}
    with pytest.raises(AssertionError, match="groq/good"):
        script.chosen(json.dumps(rows), "list.json", DAY)


def test_only_what_routing_has_a_use_for_is_kept() -> None:
    assert script.kept(LIST["groq/good"]) == {
        "litellm_provider": "groq",
        "input_cost_per_token": 1e-7,
        "output_cost_per_token": 4e-7,
        "max_input_tokens": 8192,
    }


@pytest.mark.skipif(find_spec("litellm") is None, reason="the list comes with litellm")
def test_the_shipped_list_is_what_it_writes() -> None:
    shipped = json.loads(script.TARGET.read_text(encoding="utf-8"))
    path = script.litellm_list()
    rows = json.loads(path.read_text(encoding="utf-8"))
    taken = {name: script.kept(rows[name]) for name in shipped["models"] if name in rows}
    assert len(taken) >= 0.9 * len(shipped["models"])  # a newer litellm drops some and changes some
    assert script.document(date.fromisoformat(shipped["as_of"]), shipped["models"]) == script.TARGET.read_bytes()
