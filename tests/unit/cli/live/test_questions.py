"""The prompts for a very small model."""

import re

import pytest

from banditroute.cli.live.questions import QUESTIONS, Question


def test_there_are_some_twenty_of_several_kinds() -> None:
    assert len({one.text for one in QUESTIONS}) == len(QUESTIONS) == 20
    assert len({one.task for one in QUESTIONS}) > 4


@pytest.mark.parametrize("question", [one for one in QUESTIONS if one.task in ("qa", "arithmetic", "translation")])
def test_a_question_does_not_answer_itself(question: Question) -> None:
    assert not question.quality(re.split(r"[.?]", question.text)[0])


def test_a_pattern_tells_right_from_wrong() -> None:
    capital = QUESTIONS[0]
    assert capital.quality("It is Paris.") == 1.0
    assert capital.quality("It is Parisian Lyon.") == 0.0
