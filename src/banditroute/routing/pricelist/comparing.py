"""What is different between two prices of one model: every kind of token, at every length where either changes."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from banditroute.routing.catalog import Price
from banditroute.routing.pricelist.rows import RATE_KEYS, WHOLE_OF

_SAME = 1e-9


class Change(NamedTuple):
    """One price that is different.

    Attributes:
        key: in the model's table of router.toml.
        above_input_tokens: of prompts longer than this; 0 = of the shortest.
        here_usd_per_mtok: what is billed now; a price that is left out counts as what it stands for.
        listed_usd_per_mtok: what the list says; where it is silent, nothing is different.
    """

    key: str
    above_input_tokens: int
    here_usd_per_mtok: float
    listed_usd_per_mtok: float

    @property
    def share(self) -> float:
        """The change in parts of what is billed now; inf where that is nothing."""
        here = self.here_usd_per_mtok
        return (self.listed_usd_per_mtok - here) / here if here else math.inf


def changes(here: Price, listed: Price) -> Iterator[Change]:
    """The prices that are different, those of the shortest prompts first."""
    bounds = sorted({tier.above_input_tokens for price in (here, listed) for tier in price.tiers})
    before: frozenset[tuple[str, float, float]] = frozenset()
    for bound in (0, *bounds):
        found = frozenset(_different(here.at(bound + 1), listed.at(bound + 1)))
        new = found - before  # what a longer prompt changes on neither side is said once
        yield from (Change(key, bound, *pair) for key, *pair in sorted(new, key=lambda each: _ORDER[each[0]]))
        before = found


_ORDER = {key: place for place, key in enumerate(RATE_KEYS)}


def _different(here: Price, listed: Price) -> Iterator[tuple[str, float, float]]:
    for key in RATE_KEYS:
        other: float | None = getattr(listed, key)
        if other is None:
            continue  # a list that is silent says nothing against what is billed here
        one = _billed(here, key)
        if not math.isclose(one, other, rel_tol=_SAME):
            yield key, one, other


def _billed(price: Price, key: str) -> float:
    """What such a token costs, the price stated or not."""
    usd: float | None = getattr(price, key)
    return _billed(price, WHOLE_OF[key]) if usd is None else usd
