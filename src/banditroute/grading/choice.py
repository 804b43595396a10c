"""Whether an answer picks the right option of a multiple-choice question."""

from __future__ import annotations

import re
from dataclasses import dataclass

from banditroute.errors import ConfigError, UngradableError
from banditroute.grading.protocol import Item

_ENDS = 20_000  # characters at an answer's beginning and end in which it says what it picks
_LETTER = r"([A-J])(?!\w)(?<!I(?= [a-z]))"  # "the answer, I think" picks no I
_ANSWER = "answer|antwort|réponse|respuesta|resposta|risposta|ответ|cevap|答案|回答|答え|正解|정답|الإجابة|उत्तर"
_OPTION = "option|choice|letter"
_IS = "is|was|ist|est|es|é|è|be|是|は|为"
_ALONE = r"(?!(?s:.*)\([A-J]\))"  # "(A) is small, (B) is large" picks neither
_SIGNS = (
    re.compile(rf"\\boxed\{{\s*(?:\\(?:text|mathrm|textbf)\{{)?\s*\(?{_LETTER}"),
    re.compile(
        rf"(?i:{_ANSWER}|(?:correct|right|best) (?:{_OPTION}))"
        rf"[^\w\n]{{0,20}}(?i:{_IS})?[^\w\n]{{0,20}}(?i:(?:{_OPTION}) )?[^\w\n]{{0,4}}{_LETTER}"
    ),
    re.compile(rf"\A\W{{0,4}}([A-J])(?:\W{{0,3}}\Z|[.):]|[ ]*\n){_ALONE}"),
    re.compile(r"\b([A-J])\W{0,3}\Z"),
    re.compile(r"\(([A-J])\)"),
    re.compile(rf"(?i:{_OPTION})\s*\**\(?{_LETTER}"),
    re.compile(r"\A\W{0,4}([a-j])\W{0,3}\Z"),
)


@dataclass(frozen=True, slots=True)
class ChoiceMatch:
    """1 where the answer picks the expected letter, A to J, otherwise 0; None where nothing is expected.

    Attributes:
        name: the source of its grades.
        expected: the right letter of items that bring none of their own.

    Raises:
        ConfigError: `expected` picks no letter.
    """

    name: str = "choice"
    expected: str | None = None

    def __post_init__(self) -> None:
        if self.expected is not None and picked(self.expected) is None:
            raise ConfigError(f"{self.expected[:40]!r} is no letter from A to J", field="expected")

    def grade(self, item: Item) -> float | None:
        """1 or 0; None where nothing is expected.

        Raises:
            UngradableError: the answer, or what is expected, picks no option.
        """
        expected = self.expected if item.expected is None else item.expected
        if expected is None:
            return None
        right, found = picked(expected), picked(item.completion.text)
        if right is None:
            raise UngradableError("what is expected is no letter from A to J")
        if found is None:
            raise UngradableError("the answer picks no option")
        return float(found == right)


def picked(text: str) -> str | None:
    """The letter that a text picks, by the surest of its signs and there by the last; None where it picks none."""
    if len(text) > 2 * _ENDS:
        text = f"{text[:_ENDS]}\n{text[-_ENDS:]}"
    for sign in _SIGNS:
        if found := sign.findall(text):
            return str(found[-1]).upper()
    return None
