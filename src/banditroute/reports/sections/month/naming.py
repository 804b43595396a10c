"""How tenants, classes and models are called on a page, and which of very many are shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from banditroute.reports.month.sums import Sums, total_of

NOBODY = "(no tenant)"


class Part(NamedTuple):
    """One part of a division, by its name; all the rest together is one, too."""

    name: str
    sums: Sums
    is_rest: bool = False


def shown(name: str) -> str:
    """A name that somebody else gave, with ? for every sign that no page or terminal can show."""
    return "".join(sign if sign.isprintable() else "?" for sign in name) or NOBODY


def ranked(parts: Mapping[str, Sums], most: int | None = None) -> list[Part]:
    """Parts by dollars, the dearest first; where there are more than so many, the rest in one."""
    found = [Part(shown(name), sums) for name, sums in sorted(parts.items(), key=_dear_first)]
    if most is None or len(found) <= most:
        return found
    rest = total_of(part.sums for part in found[most - 1 :])
    return [*found[: most - 1], Part(f"{len(found) - most + 1:,} others", rest, is_rest=True)]


def _dear_first(pair: tuple[str, Sums]) -> tuple[int, int, str]:
    name, sums = pair
    return -sums.picos, -sums.requests, name
