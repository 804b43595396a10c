"""A catalog for a table of dollars: prices by which every bill of the table is one of tokens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from banditroute.errors import TableError
from banditroute.routing.catalog import TOKENS_PER_MTOK, Capabilities, Catalog, Model, Price

from .table import OutcomeTable

Floats = NDArray[np.float64]

_TYPICAL_TOKENS = 400.0
_WINDOW_TOKENS = 1_000_000
_NOWHERE = "table"


@dataclass(frozen=True, slots=True, eq=False)
class Priced:
    """A table, and the catalog that bills it.

    Attributes:
        table: the outcomes.
        catalog: its models, in its order.
        output_tokens: (n, K) tokens whose price is what the table says that the answer cost; 0 where not observed.
    """

    table: OutcomeTable
    catalog: Catalog
    output_tokens: Floats


def priced(table: OutcomeTable, typical_tokens: float = _TYPICAL_TOKENS) -> Priced:
    """The table as one of token prices: each model's dollars are all put on its answers, the mean answer being typical.

    A decider learns tokens and computes dollars. So a token's price is the model's mean bill over the length of a
    typical answer, an answer has as many tokens as its bill pays for, rounded, and what is learned of its length is
    what the bills say. The longest answer of the table is the longest that the model may write.

    Raises:
        TableError: a model is observed nowhere.
    """
    seen = table.observed
    if not seen.any(0).all():
        absent = table.models[int(seen.any(0).argmin())]
        raise TableError(f"{absent} is observed on no row", remedy="leave the model out", path=table.name)
    mean_usd = np.nanmean(table.cost_usd, axis=0)
    per_token = mean_usd / typical_tokens
    free = per_token == 0.0
    tokens = np.where(free, 1.0, np.nan_to_num(table.cost_usd) / np.where(free, 1.0, per_token))
    tokens = np.where(seen, np.maximum(np.round(tokens), 1.0), 0.0)
    models = [
        Model(name, _NOWHERE, name, Price(0.0, float(usd) * TOKENS_PER_MTOK), Capabilities(_WINDOW_TOKENS, int(most)))
        for name, usd, most in zip(table.models, per_token, tokens.max(0), strict=True)
    ]
    return Priced(table, Catalog(tuple(models)), tokens)
