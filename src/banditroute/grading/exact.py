"""Whether an answer is the right one, word for word."""

from __future__ import annotations

from dataclasses import dataclass

from banditroute.grading.protocol import Item
from banditroute.grading.reading import folded, readable


@dataclass(frozen=True, slots=True)
class ExactMatch:
    """1 where the whole answer is the expected text, otherwise 0; None where nothing is expected.

    Attributes:
        name: the source of its grades.
        expected: the right answer of items that bring none of their own.
        ignore_case: capitals do not matter.
        ignore_space: it does not matter how much white space stands between words.
        ignore_punctuation: nor do quotes, brackets and full stops around words.
    """

    name: str = "exact"
    expected: str | None = None
    ignore_case: bool = True
    ignore_space: bool = True
    ignore_punctuation: bool = True

    def grade(self, item: Item) -> float | None:
        """1 or 0; None where nothing is expected.

        Raises:
            UngradableError: the answer is too long to be read.
        """
        expected = self.expected if item.expected is None else item.expected
        if expected is None:
            return None
        return float(self._folded(readable(item.completion.text)) == self._folded(readable(expected)))

    def _folded(self, text: str) -> str:
        return folded(text, case=self.ignore_case, space=self.ignore_space, punctuation=self.ignore_punctuation)
