"""Taking what rows have taught out of the sums again, when the rows are to be gone and nothing of them is to stay.

Evidence adds, so it can be subtracted. What alarms and forgetting have taken off an edge stands in no row, though: it
went to the sums that are kept and to those of rows that are gone alike, and whose lessons it was taken off nobody can
tell. So each row is taken to have faded as much as all rows of its edge have on the whole, and never is more taken off
than leaves sums that observations can have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.learning.evidence import sound
from banditroute.routing.lessons import Edge

from .codec import names_json
from .packing import unpacked
from .protocol import Trail

Floats = NDArray[np.float64]

_ROUNDING = 1e-9  # of sums that were added up in another order
_HALVINGS = 20
_N = -2  # where a vector has the number of its observations


class Withdrawal(NamedTuple):
    """What is to be added to the sums, by edge; most of it is negative.

    Attributes:
        kept: to those that are kept.
        retired: to those of rows that are gone.
    """

    kept: dict[Edge, Floats]
    retired: dict[Edge, Floats]


@dataclass(slots=True)
class Withdrawn:
    """How many rows went, counted page by page."""

    decisions: int = 0
    judgements: int = 0
    prompts: int = 0

    def count(self, trail: Trail) -> None:
        """Counts what is on record of a decision."""
        self.decisions += 1
        self.judgements += len(trail.feedback)
        self.prompts += trail.dispatch.prompt is not None


def needle_of(tenant: str) -> str:
    """What stands in the row of every decision of a tenant; in those of few others, whose texts may hold it too.

    Raises:
        InputError: the name is no Unicode.
    """
    return f'"tenant":{names_json((tenant,))[1:-1]}'


def withdrawal(gone: Mapping[Edge, Floats], kept: Mapping[Edge, Floats], retired: Mapping[Edge, Floats]) -> Withdrawal:
    """What makes the sums those of a log without some rows.

    Args:
        gone: what the rows have taught, packed.
        kept: the sums that are kept; of edges that no row has taught it may hold any.
        retired: those of rows that are gone, from which rebuilding starts.
    """
    found = Withdrawal({}, {})
    for edge, taught in gone.items():
        nothing = np.zeros_like(taught)
        found.kept[edge], before = _off(taught, kept.get(edge, nothing), retired.get(edge, nothing))
        if before.any():
            found.retired[edge] = before
    return found


def _off(gone: Floats, kept: Floats, retired: Floats) -> tuple[Floats, Floats]:
    """What is to be added to both sums of an edge, so that these differ by what the other rows have taught."""
    others = kept - retired - gone
    rounding = _ROUNDING * (abs(kept[_N]) + abs(retired[_N]) + gone[_N])
    faded = retired[_N] < -rounding
    if others[_N] <= rounding:  # the edge's last rows: exact, so that no rounding of them stays behind
        if retired[_N] <= rounding:
            return -kept, -retired
        if sound(unpacked(retired)):
            return retired - kept, np.zeros_like(gone)
    share = min(max(kept[_N] / (kept[_N] - retired[_N]), 0.0), 1.0) if faded else 1.0
    share = _sound_share(kept, gone, share)
    return -share * gone, (1.0 - share) * gone


def _sound_share(kept: Floats, gone: Floats, share: float) -> float:
    """The largest share of what was taught, up to the one wanted, that may be taken off."""
    if sound(unpacked(kept - share * gone)):
        return share
    least, most = 0.0, share
    for _ in range(_HALVINGS):
        middle = (least + most) / 2
        least, most = (middle, most) if sound(unpacked(kept - middle * gone)) else (least, middle)
    return least
