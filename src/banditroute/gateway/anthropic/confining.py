"""What of a request no other protocol than Anthropic's has words for."""

from __future__ import annotations

from collections.abc import Collection

from banditroute.records import Json


class Confinement:
    """Collects what only Anthropic can be asked.

    Attributes:
        reason: the first thing found, with its place; empty = OpenAI's shape says all of the request.
    """

    def __init__(self) -> None:
        self.reason = ""

    def add(self, place: str, what: str = "") -> None:
        """Takes note of something that cannot cross."""
        if not self.reason:
            self.reason = f"{place} ({what})" if what else place

    def unless_known(self, value: Json, place: str, known: Collection[str]) -> None:
        """Takes note of fields of an object that are not known; null says nothing."""
        for name, said in value.items():
            if name not in known and said is not None:
                self.add(f"{place}.{name}")
