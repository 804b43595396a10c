"""The demo's models as their makers list them, and the tokens that a bill stands for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from banditroute.records import Usage
from banditroute.routing.catalog import TOKENS_PER_MTOK, Price

_MOST_APART_TOKENS = 8
_WHOLE = 1e-6


@dataclass(frozen=True, slots=True)
class Listed:
    """A model on a price list.

    Attributes:
        maker: who makes it.
        price: what its tokens cost.
        tokens_per_s: about how fast it writes, hidden reasoning included.
    """

    maker: str
    price: Price
    tokens_per_s: float


# At these prices the bills in the table come out to the last digit; the speeds are only of the right size.
LISTED: Mapping[str, Listed] = MappingProxyType(
    {
        "llama-3.1-8b-instruct": Listed("meta", Price(0.10, 0.10), tokens_per_s=150.0),
        "mistral-large-2512": Listed("mistral", Price(0.50, 1.50), tokens_per_s=60.0),
        "gemini-2.5-pro": Listed("google", Price(1.25, 10.0), tokens_per_s=120.0),
    }
)


def billed_usage(cost_usd: float, input_tokens: int, price: Price) -> Usage:
    """The tokens whose cost at the list price is the bill.

    The prompt's length is an estimate made with another tokenizer than the model's; it is moved by the fewest tokens
    that leave a whole number of tokens for the answer. Where none of them do, the answer is rounded.
    """
    billed = cost_usd * TOKENS_PER_MTOK
    for tokens in _near(input_tokens):
        answer = (billed - tokens * price.input_usd_per_mtok) / price.output_usd_per_mtok
        if answer >= 1 and abs(answer - round(answer)) < _WHOLE:
            return Usage(tokens, round(answer))
    answer = (billed - input_tokens * price.input_usd_per_mtok) / price.output_usd_per_mtok
    return Usage(input_tokens, max(round(answer), 1))


def _near(tokens: int) -> Iterator[int]:
    """Numbers of tokens in the order of their distance from that one."""
    yield tokens
    for apart in range(1, _MOST_APART_TOKENS + 1):
        yield tokens + apart
        if tokens > apart:
            yield tokens - apart
