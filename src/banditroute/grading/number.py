"""Whether an answer ends in the right number."""

from __future__ import annotations

import math
from dataclasses import dataclass

from banditroute.errors import ConfigError, UngradableError
from banditroute.grading.boxed import last_boxed
from banditroute.grading.protocol import Item
from banditroute.grading.quantities import Quantity, last_quantity

_TAIL = 20_000  # a result stands at an answer's end
_MARK = "####"  # stands before the result in GSM8K (Cobbe et al. 2021)


@dataclass(frozen=True, slots=True)
class NumericMatch:
    r"""1 where the answer's last number is the expected one, otherwise 0; None where nothing is expected.

    What stands in the last \boxed{} or behind #### counts as the last number. Thousands may be grouped; fractions and
    percent are read; 50% equals 0.5 as well as 50.

    Attributes:
        name: the source of its grades.
        expected: the right number of items that bring none of their own.
        relative: how far off it may be, as a share of the larger of the two numbers.
        absolute: how far off it may be in any case.

    Raises:
        ConfigError: a tolerance is negative, or `expected` has no number.
    """

    name: str = "number"
    expected: str | None = None
    relative: float = 1e-6
    absolute: float = 1e-9

    def __post_init__(self) -> None:
        for field, tolerance in (("relative", self.relative), ("absolute", self.absolute)):
            if not tolerance >= 0:
                raise ConfigError(f"expected at least 0, got {tolerance}", field=field)
        if self.expected is not None and last_number(self.expected) is None:
            raise ConfigError(f"{self.expected[:40]!r} has no number", field="expected")

    def grade(self, item: Item) -> float | None:
        """1 or 0; None where nothing is expected.

        Raises:
            UngradableError: what is expected, or the answer, has no number.
        """
        expected = self.expected if item.expected is None else item.expected
        if expected is None:
            return None
        right, found = last_number(expected), last_number(item.completion.text)
        if right is None:
            raise UngradableError("what is expected has no number")
        if found is None:
            raise UngradableError("the answer has no number")
        return float(self._same(found, right))

    def _same(self, found: Quantity, right: Quantity) -> bool:
        scales = (1.0,) if found.percent == right.percent else (1.0, 100.0 if right.percent else 0.01)
        return any(
            math.isclose(found.value * scale, right.value, rel_tol=self.relative, abs_tol=self.absolute)
            for scale in scales
        )


def last_number(text: str) -> Quantity | None:
    """The number that a text comes to; None where it has none."""
    tail = text[-_TAIL:]
    boxed = last_boxed(tail)
    marked = tail.rpartition(_MARK)[2].lstrip().partition("\n")[0] if _MARK in tail else None
    for place in (boxed, marked):
        if place is not None and (found := last_quantity(place)):
            return found
    return last_quantity(tail)
