"""What users do, as a quality."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banditroute.errors import FeedbackError
from banditroute.grading.likeness import common, likeness
from banditroute.grading.signals import Abandoned, Edited, Stars, Thumb, quality_of, signal_of, source_of

WORDS = st.lists(st.sampled_from("abc"), max_size=12)


@pytest.mark.parametrize(
    ("kind", "fields", "quality"),
    [
        ("thumb", {"up": True}, 1.0),
        ("thumb", {"up": False}, 0.0),
        ("stars", {"given": 1}, 0.0),
        ("stars", {"given": 4}, 0.75),
        ("stars", {"given": 10, "of": 10}, 1.0),
        ("copied", {}, 1.0),
        ("regenerated", {}, 0.2),
        ("corrected", {}, 0.1),
        ("edited", {"before": "a b c d", "after": "a x c d"}, 0.75),
        ("abandoned", {"after_s": 3}, 0.3),
        ("abandoned", {"after_s": 60.0}, 0.5),
    ],
)
def test_a_deed_has_a_quality_and_a_source(kind: str, fields: dict[str, Any], quality: float) -> None:
    signal = signal_of(kind, **fields)
    assert quality_of(signal) == quality
    assert source_of(signal) == f"user:{kind}"


@pytest.mark.parametrize(
    "signal",
    [
        *(Stars(0), Stars(6), Stars(1, 1), Stars("5"), Stars(True)),
        *(Abandoned(-1.0), Abandoned(math.nan), Abandoned(math.inf), Abandoned(True)),
        *(Thumb("down"), Thumb(1), Edited(1, 2)),
    ],
)
def test_what_nobody_can_mean_is_refused(signal: Any) -> None:
    kind = source_of(signal).removeprefix("user:")
    with pytest.raises(FeedbackError, match=f"^signal: these are no values of {kind}; it takes ") as caught:
        quality_of(signal)
    assert caught.value.field == "signal"


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        ("thum", {}, "signal.kind: no signal is called 'thum'; did you mean 'thumb'? choose from: thumb, stars"),
        ("thumb", {}, "signal.up: thumb needs it; it takes up, which is true or false"),
        ("stars", {"of": 5}, "signal.given: stars needs it; it takes given, a whole number"),
        ("thumb", {"up": True, "down": False}, "signal.down: thumb has no such field; it takes up"),
        ("copied", {"much": True}, "signal.much: copied has no such field; it takes nothing else"),
    ],
)
def test_unknown_deeds_and_fields_are_refused(kind: str, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(FeedbackError) as caught:
        signal_of(kind, **fields)
    assert str(caught.value).startswith(said)


@given(WORDS, WORDS)
def test_the_common_part_is_as_long_as_the_table_says(one: list[str], other: list[str]) -> None:
    row = [0] * (len(other) + 1)
    for word in one:
        diagonal = 0
        for at, match in enumerate(other, 1):
            diagonal, row[at] = row[at], diagonal + 1 if word == match else max(row[at], row[at - 1])
    assert common(one, other) == row[-1]


@pytest.mark.parametrize(
    ("before", "after", "alike"),
    [
        ("", "", 1.0),
        ("a", "", 0.0),
        ("同意见", "不同意", 2 / 3),
        ("a " * 20_000, " ".join(f"a x{i}" for i in range(10_000)), 0.5),  # difflib would take hours
        ("x" * 10_000_000, "x" * 10_000_000, 1.0),
        ("\ud800 a", "a", 2 / 3),
    ],
    ids=["nothing", "all gone", "Chinese", "often", "long", "surrogate"],
)
def test_likeness(before: str, after: str, alike: float) -> None:
    assert likeness(before, after) == pytest.approx(alike)
