"""A fair sample of the decisions that were left to chance: what baselines are estimated from, in bounded memory."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import orjson

from banditroute.errors import InputError
from banditroute.evaluation.loading import LoadedLog, log_of
from banditroute.records import Json
from banditroute.reports.month.sums import picos
from banditroute.routing.accounts import PICOS
from banditroute.storage.decision_log import log_row
from banditroute.storage.protocol import Trail

_FEATURES = ("features", "encoder_version")
_BESIDE = ("shadow", "request_id")


class Sample:
    """So many of the decisions that stream by, each as likely as any other (Vitter, 1985, algorithm R).

    Args:
        most: how many to keep.
        features: whether to keep what is known of prompts, for policies that decide by it.
        seed: its chance.

    Attributes:
        seen: how many decisions were offered; picos: 1e-12 dollars of them.
    """

    def __init__(self, most: int, *, features: bool = False, seed: int = 0) -> None:
        self.seen = 0
        self.picos = 0
        self._most = most
        self._dropped = _BESIDE if features else (*_BESIDE, *_FEATURES)
        self._chance = random.Random(seed)
        self._rows: list[bytes] = []  # as JSON, which takes a tenth of the memory

    @property
    def kept(self) -> int:
        """How many are kept."""
        return len(self._rows)

    @property
    def usd(self) -> float:
        """Dollars of all that were offered."""
        return self.picos / PICOS

    def offer(self, trail: Trail) -> None:
        """Takes in a decision that has an outcome and was left to chance."""
        self.seen += 1
        self.picos += 0 if trail.outcome is None else picos(trail.outcome.cost_usd)
        place = self.kept if self.kept < self._most else self._chance.randrange(self.seen)
        if place < self._most and (row := log_row(trail)) is not None:
            self._rows[place : place + 1] = [self._packed(row)]

    def log(self, name: str) -> LoadedLog | None:
        """What is kept as a log, in the order of time; None where nothing of it can be evidence.

        Rows that cannot be evidence are counted with their reasons, and so are those whose prompts were encoded
        otherwise than most.
        """
        rows = [orjson.loads(row) for row in self._rows]
        try:
            return log_of(_alike(rows), name, leave_out=True)
        except InputError:
            return None

    def _packed(self, row: Json) -> bytes:
        return orjson.dumps({key: value for key, value in row.items() if key not in self._dropped})


def _alike(rows: list[Json]) -> Iterator[Json]:
    """The rows whose prompts were encoded as most were."""
    most = Counter(_encoding(row) for row in rows).most_common(1)
    return (row for row in rows if _encoding(row) == most[0][0])


def _encoding(row: Json) -> tuple[int, str]:
    return len(row.get("features", ())), row.get("encoder_version", "")
