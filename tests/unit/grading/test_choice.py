"""The letter that an answer picks."""

import pytest

from banditroute.errors import ConfigError
from banditroute.grading.choice import ChoiceMatch, picked


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("The answer is B. Option A is wrong, as is option D.", "B"),
        ("The correct option is **C**.", "C"),
        ("the answer is option (D)", "D"),
        (r"\boxed{\text{B}}", "B"),
        (r"Answer: A. On reflection \boxed{C}", "C"),
        ("(A) is too small, (B) too large, so it must be C.", "C"),
        ("**D**", "D"),
        ("b", "B"),
        ("答案：C", "C"),
        ("Die Antwort ist B", "B"),
        ("A long story short, it is C.", "C"),
        ("The answer, I think, is hard to tell", None),
        ("Brussels", None),
        ("", None),
        ("B) since\n" + "x" * 10_000_000, "B"),
        ("x" * 10_000_000 + "\nAnswer: D", "D"),
    ],
)
def test_the_letter(text: str, letter: str | None) -> None:
    assert picked(text) == letter


def test_an_expected_word_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected: 'Paris' is no letter"):
        ChoiceMatch(expected="Paris")
