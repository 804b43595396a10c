"""The same metrics for a registry of prometheus_client, beside what else a service exports there."""

from __future__ import annotations

from collections.abc import Iterator

from banditroute.errors import MissingExtraError

from .exposition import Readable
from .families import Family, Labels, Readings, Spread, Sums

try:
    from prometheus_client.core import Metric
except ImportError as error:
    raise MissingExtraError("a registry of prometheus_client", "metrics") from error


class RouterCollector:
    """A collector; register it with a registry that is scraped on the router's event loop.

    Args:
        metrics: what to show.

    Raises:
        MissingExtraError: when imported without prometheus_client.
    """

    def __init__(self, metrics: Readable) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        """Every metric as it is now."""
        for readings in self._metrics.readings():
            yield _metric(readings)

    def describe(self) -> Iterator[Metric]:
        """Nothing: names are not looked up before there is a router to read them off."""
        return iter(())


def _metric(readings: Readings) -> Metric:
    family = readings.family
    stem = family.name.removesuffix("_total") if family.kind == "counter" else family.name
    metric = Metric(stem, family.help, family.kind)
    for labels, value in readings.rows:
        for name, more, number in _samples(family, value):
            metric.add_sample(name, _named(family.labels, labels) | more, number)
    return metric


def _samples(family: Family, value: float | Sums | Spread) -> Iterator[tuple[str, dict[str, str], float]]:
    """The samples of one row: its name, labels beside the family's own, and the number."""
    name = family.name
    if isinstance(value, Spread):
        cumulative = value.cumulative
        for bound, count in cumulative:
            yield f"{name}_bucket", {"le": _bound(bound)}, count
        value = Sums(value.total, cumulative[-1][1])
    if isinstance(value, Sums):
        yield f"{name}_sum", {}, value.total
        yield f"{name}_count", {}, value.of
    else:
        yield name, {}, value


def _bound(bound: float) -> str:
    return "+Inf" if bound == float("inf") else str(bound)


def _named(names: Labels, values: Labels) -> dict[str, str]:
    return dict(zip(names, values, strict=True))
