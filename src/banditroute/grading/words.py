"""Whether an answer says what it has to say, and not what it must not."""

from __future__ import annotations

from dataclasses import dataclass

from banditroute.errors import ConfigError
from banditroute.grading.protocol import Item
from banditroute.grading.reading import readable


@dataclass(frozen=True, slots=True)
class Contains:
    """The share of `all` that the answer has; 0 where it has none of `any`, or one of `none`.

    Attributes:
        name: the source of its grades.
        all: texts that all have to be there.
        any: texts of which one has to be there.
        none: texts that must not be there.
        ignore_case: capitals do not matter.

    Raises:
        ConfigError: no text is given, or an empty one.
    """

    name: str
    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    ignore_case: bool = True

    def __post_init__(self) -> None:
        if not (self.all or self.any or self.none):
            raise ConfigError("nothing to look for", remedy="give all, any or none a list of texts", field="all")
        for field in ("all", "any", "none"):
            if "" in getattr(self, field):
                raise ConfigError("an empty text is in every answer", remedy="take it out", field=field)

    def grade(self, item: Item) -> float | None:
        """From 0 to 1.

        Raises:
            UngradableError: the answer is too long to be read.
        """
        answer = self._plain(readable(item.completion.text))
        if self.any and not any(self._plain(text) in answer for text in self.any):
            return 0.0
        if any(self._plain(text) in answer for text in self.none):
            return 0.0
        return sum(self._plain(text) in answer for text in self.all) / len(self.all) if self.all else 1.0

    def _plain(self, text: str) -> str:
        return text.casefold() if self.ignore_case else text
