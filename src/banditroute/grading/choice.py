"""Whether an answer picks the right option of a multiple-choice question."""

from __future__ import annotations

import re
from dataclasses import dataclass

from banditroute.errors import UngradableError
from banditroute.grading.protocol import Item
from banditroute.grading.reading import readable

_SIGNS = (
    re.compile(r"\\boxed\{\s*(?:\\text\{)?\s*\(?([A-J])\b"),
    re.compile(r"(?i:answer|option|choice)\s*(?i:is|was)?\s*[:=]?\s*\**\(?([A-J])\b"),
    re.compile(r"\A\W{0,4}([A-J])(?:\W{0,3}\Z|[.):]|[ ]*\n)"),
    re.compile(r"\(([A-J])\)"),
    re.compile(r"\b([A-J])\W{0,3}\Z"),
)


@dataclass(frozen=True, slots=True)
class ChoiceMatch:
    """1 where the answer picks the expected letter, A to J, otherwise 0; None where nothing is expected.

    Attributes:
        name: the source of its grades.
        expected: the right letter of items that bring none of their own.
    """

    name: str = "choice"
    expected: str | None = None

    def grade(self, item: Item) -> float | None:
        """1 or 0; None where nothing is expected.

        Raises:
            UngradableError: the answer, or what is expected, picks no option.
        """
        expected = self.expected if item.expected is None else item.expected
        if expected is None:
            return None
        return float(picked(item.completion.text) == picked(expected))


def picked(text: str) -> str:
    """The letter that a text picks, the last one where it says it in one way more than once.

    Raises:
        UngradableError: it picks none.
    """
    text = readable(text)
    for sign in _SIGNS:
        if found := sign.findall(text):
            return str(found[-1])
    raise UngradableError("the answer picks no option")
