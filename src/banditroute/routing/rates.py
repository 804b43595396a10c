"""What calls are expected to cost: a catalog's token prices as arrays, so that all models are priced at once."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.records import Demand, Forecast

from .catalog import TOKENS_PER_MTOK, Catalog, Model
from .sessions import Stay
from .signals import Amounts

Floats = NDArray[np.float64]


class Priced(NamedTuple):
    """What every model is expected to do, answers cut to the lengths allowed, with dollars (K,)."""

    amounts: Amounts
    output_tokens: Floats
    cost_usd: Floats

    def records(self) -> list[Forecast]:
        """The same as one record for each model, quality clipped to its range."""
        of = self.amounts
        columns = (of.quality, of.quality_sd, self.cost_usd, of.latency_s, self.output_tokens)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return [Forecast(min(max(mean, 0.0), 1.0), sd, usd, s, tokens) for mean, sd, usd, s, tokens in rows]


class Rates:
    """The prices of a catalog's models.

    Args:
        catalog: the models; their order is that of the arms.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._prices = tuple(model.price for model in catalog)
        bounds = [tier.above_input_tokens for price in self._prices for tier in price.tiers]
        self._least_bound = min(bounds, default=math.inf)
        self._short = self._in_force(0)
        most = (model.capabilities.max_output_tokens for model in catalog)
        self._most_output_tokens = np.array([math.inf if limit is None else limit for limit in most])

    def priced(self, amounts: Amounts, demand: Demand, stay: Stay | None = None) -> Priced:
        """What models are expected to do at a demand, with its dollars; `stay` says what a cache would save."""
        tokens = np.minimum(amounts.output_tokens, self._most_output_tokens)
        if demand.max_output_tokens is not None:
            tokens = np.minimum(tokens, demand.max_output_tokens)
        cost_usd = self._estimate_usd(demand.input_tokens, tokens * demand.answers)
        if stay is not None and stay.cached_tokens and stay.model in self._catalog:
            cost_usd[self._catalog.arm(stay.model)] -= _cache_saving_usd(self._catalog[stay.model], demand, stay)
        return Priced(amounts, tokens, cost_usd)

    def _estimate_usd(self, input_tokens: int, output_tokens: Floats) -> Floats:
        """Dollars (K,) expected of a plain call with so many tokens (K,) of answer."""
        short = input_tokens <= self._least_bound
        per_input, per_output = self._short if short else self._in_force(input_tokens)
        return input_tokens * per_input + output_tokens * per_output

    def _in_force(self, input_tokens: int) -> tuple[Floats, Floats]:
        prices = [price.at(input_tokens) for price in self._prices]
        per_input = np.array([price.input_usd_per_mtok for price in prices])
        per_output = np.array([price.output_usd_per_mtok for price in prices])
        return per_input / TOKENS_PER_MTOK, per_output / TOKENS_PER_MTOK


def _cache_saving_usd(model: Model, demand: Demand, stay: Stay) -> float:
    """Dollars that the provider's prompt cache is expected to save."""
    price = model.price.at(demand.input_tokens)
    cached = price.cached_input_usd_per_mtok
    if cached is None:
        return 0.0
    tokens = min(stay.cached_tokens, demand.input_tokens)
    return max(tokens * (price.input_usd_per_mtok - cached), 0.0) / TOKENS_PER_MTOK
