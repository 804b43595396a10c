"""Whether an answer is as long as it should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from banditroute.errors import ConfigError
from banditroute.grading.protocol import Item
from banditroute.grading.reading import readable, words_of


@dataclass(frozen=True, slots=True)
class Length:
    """1 where the answer's length is within bounds; beyond them it falls to 0 over a margin.

    Attributes:
        name: the source of its grades.
        least: the shortest that is right; most: the longest.
        unit: what is counted; in Chinese and Japanese every character is a word.
        margin: over which share of a bound the quality falls from 1 to 0; 0 = at once.

    Raises:
        ConfigError: neither bound is given, they leave nothing between them, or one or the margin is negative.
    """

    name: str
    least: int | None = None
    most: int | None = None
    unit: Literal["characters", "words"] = "words"
    margin: float = 0.0

    def __post_init__(self) -> None:
        if self.least is None and self.most is None:
            raise ConfigError("no bound", remedy="give least, most or both", field="least")
        for field, value in (("least", self.least), ("most", self.most), ("margin", self.margin)):
            if value is not None and not value >= 0:
                raise ConfigError(f"expected at least 0, got {value}", field=field)
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ConfigError(f"{self.most} is below least = {self.least}", remedy="raise it", field="most")

    def grade(self, item: Item) -> float | None:
        """From 0 to 1.

        Raises:
            UngradableError: the answer is too long for its words to be counted.
        """
        text = item.completion.text
        length = len(words_of(readable(text))) if self.unit == "words" else len(text)
        if self.least is not None and length < self.least:
            return self._beyond((self.least - length) / self.least)
        if self.most is not None and length > self.most:
            return self._beyond((length - self.most) / max(self.most, 1))
        return 1.0

    def _beyond(self, share: float) -> float:
        return max(0.0, 1.0 - share / self.margin) if self.margin > 0 else 0.0
