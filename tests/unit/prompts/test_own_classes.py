"""Classes of one's own beside the shipped nine."""

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banditroute.prompts.names import SHIPPED
from banditroute.prompts.own_classes import OwnClasses
from banditroute.prompts.reader import PromptReader
from banditroute.prompts.weights import shipped_senses, shipped_weights

PROMPTS = Path(__file__).parents[3] / "simulations" / "prompts"
READER = PromptReader(shipped_weights())
GARDEN = (
    "When should I prune hydrangeas?",
    "White powder on my zucchini leaves",
    "What grows well under a big spruce",
    "how often do I water new turf",
    "Is it too late to plant garlic in december",
)
OUTAGES = (
    "prod is throwing 502s since the deploy, where do I look first?",
    "Pod keeps restarting with OOMKilled",
    "Kafka consumer lag on orders topic and growing",
    "Disk on db-3 is at 97 percent, what can be deleted safely",
    "write a short status page update: login is degraded",
)
UNKNOWN = tuple(f"xq{'zv' * n} wk{'jq' * n}" for n in range(3, 8))
BOTH = OwnClasses(shipped_senses(), READER, {"gardening": GARDEN, "outages": OUTAGES})


def likeliest(own: OwnClasses, text: str) -> str:
    return (*SHIPPED, *own.names)[int(own.probabilities(READER.read_text(text)).argmax())]


def rows(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (PROMPTS / name).read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("slugs ate all my lettuce overnight", "gardening"),
        ("which vegetables can I sow in august", "gardening"),
        ("the redis replica is behind and latency tripled", "outages"),
        ("what is the capital of Australia?", "qa"),
        ("Translate 'good morning' into French", "translation"),
        ("Solve x^2 - 5x + 6 = 0", "reasoning_math"),
    ],
)
def test_take_what_is_about_the_same_and_leave_the_rest(text: str, name: str) -> None:
    assert likeliest(BOTH, text) == name


def test_know_their_own_examples() -> None:
    for name, texts in (("gardening", GARDEN), ("outages", OUTAGES)):
        assert [likeliest(BOTH, text) for text in texts].count(name) >= 4


def test_their_order_does_not_matter() -> None:
    turned = OwnClasses(shipped_senses(), READER, {"outages": OUTAGES[::-1], "gardening": GARDEN[::-1]})
    for text in ("my roses have aphids", "disk full on the node", "hello"):
        reading = READER.read_text(text)
        np.testing.assert_allclose(turned.probabilities(reading)[[-1, -2]], BOTH.probabilities(reading)[-2:], rtol=1e-4)


def test_the_shipped_ones_keep_their_odds_among_each_other() -> None:
    reading = READER.read_text("write a poem about my garden")
    alone, beside = reading.probabilities, BOTH.probabilities(reading)[: len(SHIPPED)]
    np.testing.assert_allclose(beside / beside.sum(), alone)


def test_one_whose_words_nobody_knows_takes_what_looks_like_it_and_nothing_else() -> None:
    own = OwnClasses(shipped_senses(), READER, {"gibberish": UNKNOWN})
    assert likeliest(own, UNKNOWN[2]) == "gibberish"
    taken = [likeliest(own, row["text"]) == "gibberish" for row in rows("held_out.jsonl")]
    assert np.mean(taken) <= 0.02


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_probabilities_of_any_text_sum_to_one(text: str) -> None:
    likely = BOTH.probabilities(READER.read_text(text))
    assert np.isfinite(likely).all()
    assert likely.sum() == pytest.approx(1.0)


def test_the_classes_that_they_were_fitted_to() -> None:
    examples: dict[str, list[str]] = defaultdict(list)
    for row in rows("own_classes_dev.jsonl"):
        if row["split"] == "example":
            examples[row["class"]].append(row["text"])
    names = list(examples)
    right: list[bool] = []
    for start in range(0, len(names) - 5, 6):
        some = names[start : start + 6]
        own = OwnClasses(shipped_senses(), READER, {name: examples[name] for name in some})
        asked = [row for row in rows("own_classes_dev.jsonl") if row["class"] in some and row["split"] == "test"]
        right += [likeliest(own, row["text"]) == row["class"] for row in asked]
    assert np.mean(right) >= 0.7
