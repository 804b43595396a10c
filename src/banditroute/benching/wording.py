"""What a benchmark says in words: dollars, and what the difference between two models amounts to."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from banditroute.benching.results import Difference, Measure


def dollars(value_usd: float) -> str:
    """Dollars with cents at least, three telling digits, and no exponent."""
    decimals = 2 if value_usd == 0 else max(2, 2 - math.floor(math.log10(value_usd)))
    return f"${value_usd:.{decimals}f}"


class _Words(NamedTuple):
    """How a measure is spoken of."""

    noun: str
    verb: str
    say: Callable[[float], str]


_WORDS: dict[Measure, _Words] = {
    "quality": _Words("quality", "is better than", "{:.3f}".format),
    "cost_usd": _Words("cost", "costs more than", dollars),
    "latency_s": _Words("latency", "is slower than", "{:.3g} s".format),
}


def verdict(found: Difference) -> str:
    """What a difference between two models amounts to, in one sentence."""
    words, gap = _WORDS[found.measure], found.mean
    where = f" on {found.task}" if found.task else ""
    if not found.prompts:
        return f"{found.first} and {found.second} cannot be compared in {words.noun}{where}: no prompt has both"
    size = f"{_said(words, gap.value)} ({_said(words, gap.low)} to {_said(words, gap.high)}, {found.prompts} prompts)"
    if found.shown:
        return f"{found.first} {words.verb} {found.second}{where}: by {size}"
    return f"no difference shown in {words.noun} between {found.first} and {found.second}{where}: {size}"


def _said(words: _Words, value: float) -> str:
    if math.isnan(value):
        return "?"
    text = words.say(abs(value))
    return f"-{text}" if value < 0 else text
