"""Readings as Prometheus' text format 0.0.4, which every version of it reads.

Written here because it runs on the event loop, where requests wait for it: 64 task classes and 10 models are twelve
thousand lines, on which prometheus_client spends 70 ms and these few functions 9.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Protocol

from .families import Labels, Readings, Spread, Sums

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_HELP = b"\n# HELP "


class Readable(Protocol):
    """What has readings."""

    def readings(self) -> Iterable[Readings]:
        """Of every family, now."""
        ...


def exposition(metrics: Readable, *, worker: str = "") -> tuple[bytes, str]:
    """The body and the content type that answer a scrape; call it on the router's event loop.

    Args:
        metrics: what there is to read.
        worker: a label for all of it, where several processes are scraped as one; empty = none.
    """
    also = f'worker="{_quoted(worker)}"' if worker else ""
    lines = [line for readings in metrics.readings() for line in _lines(readings, also)]
    return "".join(lines).encode(), CONTENT_TYPE


def merged(bodies: Iterable[bytes]) -> bytes:
    """Expositions of several workers as one: what they say of a family stands together, as the format has it."""
    families: dict[bytes, bytes] = {}
    for body in bodies:
        for told in (b"\n" + body.rstrip(b"\n")).split(_HELP)[1:]:  # at the begin of lines only: labels may have it too
            about, kind, *rows = told.split(b"\n", 2)
            head = _HELP[1:] + about + b"\n" + kind + b"\n"
            families[head] = families.get(head, b"") + b"".join(row + b"\n" for row in rows)
    return b"".join(head + rows for head, rows in families.items())


def _lines(readings: Readings, also: str) -> Iterator[str]:
    family, rows = readings
    yield f"# HELP {family.name} {_plain(family.help)}\n# TYPE {family.name} {family.kind}\n"
    for labels, value in rows:
        pairs = _pairs(family.labels, labels)
        if also:
            pairs = f"{pairs},{also}" if pairs else also
        if isinstance(value, Spread):
            yield from _buckets(family.name, pairs, value)
        elif isinstance(value, Sums):
            yield from _sums(family.name, pairs, value.total, value.of)
        else:
            yield f"{family.name}{_braced(pairs)} {_number(value)}\n"


def _buckets(name: str, pairs: str, spread: Spread) -> Iterator[str]:
    before = f'{name}_bucket{{{pairs}{"," if pairs else ""}le="'
    cumulative = spread.cumulative
    for bound, count in cumulative:
        yield f'{before}{_number(bound)}"}} {count}\n'
    yield from _sums(name, pairs, spread.total, cumulative[-1][1])


def _sums(name: str, pairs: str, total: float, count: int) -> Iterator[str]:
    labels = _braced(pairs)
    yield f"{name}_sum{labels} {_number(total)}\n{name}_count{labels} {count}\n"


def _braced(pairs: str) -> str:
    return f"{{{pairs}}}" if pairs else ""


@lru_cache(maxsize=8192)
def _pairs(names: Labels, values: Labels) -> str:
    """Labels as they stand between braces; the same ones come back at every scrape and in many families."""
    return ",".join(f'{name}="{_quoted(value)}"' for name, value in zip(names, values, strict=True))


def _quoted(value: str) -> str:
    return _plain(value).replace('"', r"\"").encode(errors="replace").decode()


def _plain(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    if math.isfinite(value):
        return repr(float(value))
    return "NaN" if math.isnan(value) else f"{'+' if value > 0 else '-'}Inf"
