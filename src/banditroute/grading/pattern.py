"""Whether an answer has a pattern, matched in time linear in the answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from banditroute.errors import ConfigError
from banditroute.grading.protocol import Item
from banditroute.grading.reading import MOST_CHARACTERS, readable
from banditroute.patterns import Search, searcher

_MOST_COUNTED = 100_000  # linear, but .{1000} in a pattern makes each character cost a thousand


@dataclass(frozen=True, slots=True)
class PatternMatch:
    """1 where the answer has the pattern, or where it must not and has not; otherwise 0.

    Attributes:
        name: the source of its grades.
        pattern: a regular expression as RE2 knows it; `^...$` for the whole answer.
        present: whether it has to be there.

    Raises:
        ConfigError: it is no such expression.
        MissingExtraError: google-re2 is not installed.
    """

    name: str
    pattern: str
    present: bool = True
    _search: Search = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "_search", searcher(self.pattern))
        except ConfigError as error:
            raise ConfigError(error.problem, remedy=error.remedy, field="pattern") from None

    def __reduce__(self) -> tuple[type[PatternMatch], tuple[str, str, bool]]:
        return type(self), (self.name, self.pattern, self.present)  # what is compiled does not go to other processes

    def grade(self, item: Item) -> float | None:
        """1 or 0.

        Raises:
            UngradableError: the answer is too long to be read.
        """
        most = _MOST_COUNTED if "{" in self.pattern else MOST_CHARACTERS
        return float(self._search(readable(item.completion.text, most)) == self.present)
