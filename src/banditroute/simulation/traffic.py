"""Who asks when: arrivals by a rate or from a trace, each on behalf of a tenant."""

from __future__ import annotations

import gzip
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from banditroute.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DAY_S = 86_400.0
NOBODY: Mapping[str, float] = {"": 1.0}
"""Shares of requests where no tenant is named."""


@dataclass(frozen=True, slots=True, eq=False)
class Arrivals:
    """n requests in the order in which they come.

    Attributes:
        at: (n,) instants, seconds since the epoch, ascending.
        tenant: (n,) index into tenants.
        tenants: their names; "" where nobody is named.
    """

    at: Floats
    tenant: Ints
    tenants: tuple[str, ...] = ("",)

    @property
    def requests(self) -> int:
        """How many there are."""
        return self.at.size


def load_trace(path: str | os.PathLike[str]) -> Floats:
    """The instants of a trace, ascending, in seconds since its first request: JSON lines with `t_s`, gzipped or not.

    Raises:
        InputError: the file cannot be read, or a line names no instant.
    """
    where = Path(path)
    try:
        raw = where.read_bytes()
        lines = (gzip.decompress(raw) if where.suffix == ".gz" else raw).splitlines()
    except (OSError, EOFError) as error:
        raise InputError(f"cannot be read: {error}", remedy="name a trace of JSON lines", path=str(where)) from None
    at = np.sort(np.array([_instant(line, number, where) for number, line in enumerate(lines, start=1)]))
    if at.size < 2 or at[-1] == at[0]:
        raise InputError("no time passes in it", remedy="name a trace of two instants or more", path=str(where))
    return at - at[0]


def poisson(per_s: float, requests: int, start: float, rng: np.random.Generator) -> Floats:
    """Instants (requests,) that come at random at a mean rate, as from many callers who know nothing of each other."""
    return start + np.cumsum(rng.exponential(1.0 / per_s, requests))


def tiled(trace: Floats, requests: int, start: float, lasts_s: float | None = None) -> Floats:
    """Instants (requests,) of a trace that is played again and again.

    Args:
        trace: instants of one pass, from 0 on, ascending.
        requests: how many instants.
        start: of the first.
        lasts_s: seconds that one pass is stretched to; None = as long as it is.
    """
    gap_s = trace[-1] / (trace.size - 1)  # from its last request to the first of the next pass
    length_s = trace[-1] + gap_s
    factor = 1.0 if lasts_s is None else lasts_s / length_s
    passes, within = np.divmod(np.arange(requests), trace.size)
    return start + factor * (passes * length_s + trace[within])


def thinned(at: Floats, keep: float | Floats, rng: np.random.Generator) -> Floats:
    """The instants that a coin of that chance, or one of its own for each, keeps: the same ups and downs in fewer."""
    return at[rng.random(at.size) < keep]


def shared_out(at: Floats, shares: Mapping[str, float], rng: np.random.Generator) -> Arrivals:
    """The instants as arrivals, each on behalf of a tenant drawn by its share."""
    p = np.array(list(shares.values()))
    return Arrivals(at, rng.choice(p.size, at.size, p=p / p.sum()).astype(np.int64), tuple(shares))


def _instant(line: bytes, number: int, where: Path) -> float:
    try:
        at = float(orjson.loads(line)["t_s"])
    except (ValueError, TypeError, KeyError):
        at = np.nan
    if not np.isfinite(at):
        raise InputError("names no instant", remedy='write "t_s": SECONDS', path=str(where), line=number, field="t_s")
    return at
