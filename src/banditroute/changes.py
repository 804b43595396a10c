"""What a new configuration changes, for those who asked for it and those who watch: frozen values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

Said = str | float | None
"""What a key says; None = it is not there."""


class Renamed(NamedTuple):
    """A model's name before and after."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Edit:
    """One key of a model or budget that says something else.

    Attributes:
        name: of the model or budget, as it is called after the change.
        key: as the file spells it.
        before: what it said; after: what it says. None on one side: it was added, or taken out.
    """

    name: str
    key: str
    before: Said
    after: Said

    def __str__(self) -> str:
        return f"{self.name}: {self.key} {_shown(self.before)} -> {_shown(self.after)}"


@dataclass(frozen=True, slots=True)
class Changes:
    """What is different between two configurations of one router.

    Attributes:
        added: models that were not there; removed: models that are no longer there.
        renamed: models that have another name.
        repriced: prices that are others, key by key.
        budgets: budgets that are others, key by key; one that is new or gone by its dollars.
        settings: every other key or table that says something else, as in models.small.tags or retry.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    renamed: tuple[Renamed, ...] = ()
    repriced: tuple[Edit, ...] = ()
    budgets: tuple[Edit, ...] = ()
    settings: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "; ".join(self._told()) or "nothing changed"

    def _told(self) -> Iterator[str]:
        yield from (f"added {name}" for name in self.added)
        yield from (f"removed {name}" for name in self.removed)
        yield from (f"renamed {name.before} to {name.after}" for name in self.renamed)
        yield from map(str, self.repriced)
        yield from (f"budget {edit}" for edit in self.budgets)
        yield from self.settings


def _shown(said: Said) -> str:
    if isinstance(said, (int, float)):
        return f"{said:g}"
    return "nothing" if said is None else said
