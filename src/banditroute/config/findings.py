"""What a review of a configuration finds, in the same words throughout."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from banditroute.routing.catalog import Model

TYPICAL_INPUT_TOKENS = 500
TYPICAL_OUTPUT_TOKENS = 300
"""The request that budgets are held against: a short question and its answer."""


class Finding(NamedTuple):
    """Something to think again about.

    Attributes:
        check: which check found it.
        place: what it is about: `model "small"`.
        problem: what may be wrong.
        remedy: what to do if it is.
    """

    check: str
    place: str
    problem: str
    remedy: str


def typical_usd(model: Model) -> float:
    """Dollars that the typical request costs."""
    return model.price.estimate_usd(TYPICAL_INPUT_TOKENS, TYPICAL_OUTPUT_TOKENS)


def dollars(usd: float) -> str:
    """Dollars with cents, or with two telling digits below one."""
    return f"${usd:,.2f}" if usd >= 1 else f"${Decimal(f'{usd:.1e}'):f}"
