"""The quantities that reports speak of: how a value is written, and a difference, and ticks along an axis."""

from collections.abc import Callable
from dataclasses import dataclass

from banditroute.reports import format as write
from banditroute.reports.charts import scales


@dataclass(frozen=True, slots=True)
class Unit:
    """One quantity.

    Attributes:
        key: its name in exported files.
        title: as a heading.
        text: writes a value; change: writes a difference, with its sign.
        ticks: writes values along an axis.
    """

    key: str
    title: str
    text: Callable[[float], str]
    change: Callable[[float], str]
    ticks: scales.Texts


def _dollars(value_usd: float) -> str:
    return write.money(value_usd, 3)


def _dollar_change(value_usd: float) -> str:
    return write.money_change(value_usd, 3)


QUALITY = Unit("quality", "Quality", write.quality, write.quality_change, scales.qualities)
DOLLARS = Unit("cost_usd", "Dollars per request", _dollars, _dollar_change, scales.dollars)
SECONDS = Unit("latency_s", "Seconds per request", write.seconds, write.seconds_change, scales.seconds)

UNITS = (QUALITY, DOLLARS, SECONDS)
"""The three that a policy or a model is judged by."""
