"""Patterns in long answers."""

import pytest

from banditroute.errors import UngradableError
from banditroute.grading.pattern import PatternMatch
from banditroute.grading.protocol import Item
from banditroute.records import ChatRequest, Completion


def item(text: str) -> Item:
    return Item("d", "qa", ChatRequest(()), Completion({}, text, None))


def test_a_plain_pattern_is_sought_in_a_million_characters() -> None:
    assert PatternMatch("p", "(a+)+b$").grade(item("a" * 1_000_000 + "b")) == 1.0


def test_counted_repetitions_are_sought_in_less() -> None:
    pattern = PatternMatch("p", ".{1000}.{1000}x")
    assert pattern.grade(item("a" * 2_000 + "x")) == 1.0
    with pytest.raises(UngradableError, match="more than the 100,000"):
        pattern.grade(item("a" * 1_000_000))
