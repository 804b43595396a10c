"""Whether an answer ends in the right number."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import NamedTuple

from banditroute.errors import UngradableError
from banditroute.grading.protocol import Item
from banditroute.grading.reading import readable

_BOXED = re.compile(r"\\boxed\{([^{}]{0,80})\}")
_FINAL = re.compile(r"####\s*([^\n]{1,80})")
_NUMBER = re.compile(
    r"[-+\u2212]?(?:\d[\d,'\u00a0\u202f]*\d|\d)(?:\.\d+)?(?:[eE][-+]?\d{1,3})?(?:\s?/\s?\d+)?\s?%?|[-+]?\.\d+"
)
_GROUPED = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")


class Number(NamedTuple):
    """A number as it was written; 50% is 50 and a percentage."""

    value: float
    percent: bool


@dataclass(frozen=True, slots=True)
class NumericMatch:
    r"""1 where the answer's last number is the expected one, otherwise 0; None where nothing is expected.

    What stands in \boxed{} or behind #### counts as the last number. Thousands may be grouped; fractions and percent
    are read; 50% equals 0.5 as well as 50.

    Attributes:
        name: the source of its grades.
        expected: the right number of items that bring none of their own.
        relative: how far off it may be, as a share of the expected number.
        absolute: how far off it may be in any case.
    """

    name: str = "number"
    expected: str | None = None
    relative: float = 1e-6
    absolute: float = 1e-9

    def grade(self, item: Item) -> float | None:
        """1 or 0; None where nothing is expected.

        Raises:
            UngradableError: what is expected, or the answer, has no number.
        """
        expected = self.expected if item.expected is None else item.expected
        if expected is None:
            return None
        right, found = last_number(readable(expected)), last_number(readable(item.completion.text))
        if right is None:
            raise UngradableError("what is expected has no number")
        if found is None:
            raise UngradableError("the answer has no number")
        return float(self._same(found, right))

    def _same(self, found: Number, right: Number) -> bool:
        scales = (1.0,) if found.percent == right.percent else (1.0, 100.0 if right.percent else 0.01)
        return any(
            math.isclose(found.value * scale, right.value, rel_tol=self.relative, abs_tol=self.absolute)
            for scale in scales
        )


def last_number(text: str) -> Number | None:
    """The number that a text comes to; None where it has none."""
    for marked in (_BOXED.findall(text), _FINAL.findall(text)):
        if marked and (numbers := _NUMBER.findall(marked[-1])):
            return _read(numbers[-1])
    numbers = _NUMBER.findall(text)
    return _read(numbers[-1]) if numbers else None


def _read(written: str) -> Number:
    percent = written.endswith("%")
    plain = written.rstrip("% ").replace("\u2212", "-").replace("\u00a0", "").replace("\u202f", "").replace("'", "")
    above, _, below = plain.partition("/")
    value = _decimal(above.strip())
    if below.strip() and float(below) != 0:
        value /= float(below)
    return Number(value, percent)


def _decimal(plain: str) -> float:
    """A decimal number; a comma groups thousands where groups are of three, otherwise it is a decimal point."""
    if "," in plain and not _GROUPED.fullmatch(plain) and plain.count(",") == 1 and "." not in plain:
        return float(plain.replace(",", "."))
    return float(plain.replace(",", ""))
