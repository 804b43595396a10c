"""Whether an answer is as long as it should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from banditroute.errors import ConfigError
from banditroute.grading.protocol import Item


@dataclass(frozen=True, slots=True)
class Length:
    """1 where the answer's length is within bounds; beyond them it falls to 0 over a margin.

    Attributes:
        name: the source of its grades.
        least: the shortest that is right; most: the longest.
        unit: what is counted.
        margin: over which share of a bound the quality falls from 1 to 0; 0 = at once.

    Raises:
        ConfigError: neither bound is given, or they leave nothing between them.
    """

    name: str
    least: int | None = None
    most: int | None = None
    unit: Literal["characters", "words"] = "words"
    margin: float = 0.0

    def __post_init__(self) -> None:
        if self.least is None and self.most is None:
            raise ConfigError("no bound", remedy="give least, most or both", field="least")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ConfigError(f"{self.most} is below least = {self.least}", remedy="raise it", field="most")

    def grade(self, item: Item) -> float | None:
        """From 0 to 1."""
        text = item.completion.text
        length = len(text.split()) if self.unit == "words" else len(text)
        if self.least is not None and length < self.least:
            return self._beyond((self.least - length) / self.least)
        if self.most is not None and length > self.most:
            return self._beyond((length - self.most) / max(self.most, 1))
        return 1.0

    def _beyond(self, share: float) -> float:
        return max(0.0, 1.0 - share / self.margin) if self.margin > 0 else 0.0
