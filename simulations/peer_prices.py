"""What the models of judged9 cost by the price list, which peers that do not look at bills go by."""

from __future__ import annotations

from typing import NamedTuple

from peer_world import World


class ListPrice(NamedTuple):
    """Dollars per million tokens."""

    input_usd_per_mtok: float
    output_usd_per_mtok: float


LIST_PRICES = {
    "llama-3.1-8b-instruct": ListPrice(0.10, 0.10),
    "mistral-large-2512": ListPrice(0.50, 1.50),
    "gemini-2.5-pro": ListPrice(1.25, 10.00),
}
"""As ParetoBandit ships them with the table (`config/models.json`)."""


def price_of(world: World, model: str) -> ListPrice:
    """A model's list price; a newcomer's is that of the model it copies, times the scenario's factor."""
    if model in LIST_PRICES:
        return LIST_PRICES[model]
    like, factor = world.newcomers[model]
    return ListPrice(*(usd * factor for usd in LIST_PRICES[like]))
