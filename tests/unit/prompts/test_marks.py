"""Marks that no n-gram shows."""

import math

import pytest

from banditroute.prompts.characters import characters_of, codes_of
from banditroute.prompts.marks import MARKS, marks_of


def marks(text: str, capitals: int = 0) -> dict[str, float]:
    found = marks_of(text, characters_of(codes_of(text.lower())).kinds, capitals)
    return dict(zip(MARKS, found.tolist(), strict=True))


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("one line", "one_line"),
        ("is it? ", "question_last"),
        ("这是什么？", "question_last"),
        ("why?\nbecause", "question_first_line"),
        ("translate this:", "colon_last"),
        ("done.", "stop_last"),
        ("```\nx\n```", "code_fence"),
        ("if x:\n    y", "indented"),
        ("if x:\n\ty", "indented"),
        ("„so“", "quoted"),
        ('he said "so"', "quoted"),
        ("Capital", "capital_first"),
    ],
)
def test_a_mark_is_there(text: str, mark: str) -> None:
    assert marks(text)[mark] == 1.0
    assert marks("no such thing\nat all, really")[mark] == 0.0


@pytest.mark.parametrize(
    ("text", "mark", "count"),
    [
        ("f();\ng();\nh()", "statement_ends", 4),  # a bracket and a line's end each
        ("f {\n} while (x):\n", "statement_ends", 2),
        ("which?\nA) x\nB. y\nC: z", "option_lines", 3),
        ("list\n- a\n* b\n1. c", "bullet_lines", 3),
        ("a\n\nb\n\nc", "blank_lines", 2),
        ("a" + "\n- b" * 50, "bullet_lines", 4),  # no more are counted
    ],
)
def test_lines_are_counted(text: str, mark: str, count: int) -> None:
    assert marks(text)[mark] == count / 4


def test_shares_are_of_all_characters() -> None:
    found = marks("ab12 ?привет", capitals=3)
    assert found["share_digit"] == pytest.approx(math.sqrt(2 / 12))
    assert found["share_cyrillic"] == pytest.approx(math.sqrt(6 / 12))
    assert found["share_question"] == pytest.approx(math.sqrt(1 / 12))
    assert found["share_capital"] == pytest.approx(math.sqrt(3 / 12))


def test_nothing_has_marks_too() -> None:
    assert all(map(math.isfinite, marks("").values()))
