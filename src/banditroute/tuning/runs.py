"""What one budget bought, as tuning keeps it: in memory, and in a file from which an interrupted tuning goes on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from dataclasses import fields as dataclass_fields
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from banditroute._version import __version__
from banditroute.errors import InputError
from banditroute.simulation.results import ByRequest, PolicyResult
from banditroute.simulation.table import OutcomeTable

Floats = NDArray[np.float64]

_FORMAT = 1


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One budget, replayed: n requests, S stream orders, K models, C task classes.

    Attributes:
        budget_usd: dollars per request.
        quality: (S,) mean of each order; cost_usd: (S,) likewise.
        row_quality: (n,) mean over orders; row_cost_usd: (n,) likewise.
        share: (K,) of requests; task_share: (C, K) of each class's requests.
    """

    budget_usd: float
    quality: Floats
    cost_usd: Floats
    row_quality: Floats
    row_cost_usd: Floats
    share: Floats
    task_share: Floats


def run_of(result: PolicyResult, requests: ByRequest) -> Run:
    """What a simulation found of one budget."""
    models = result.share.size
    share = {(edge.task, edge.model): edge.share for edge in result.edges}
    names = list(dict.fromkeys(edge.model for edge in result.edges))
    by_task = np.zeros((len(requests.tasks), models))
    for c, task in enumerate(requests.tasks):
        by_task[c] = [share.get((task, name), 0.0) for name in names]
    budget = result.budget_usd
    assert budget is not None, "tuning replays budgets alone"
    return Run(budget, result.quality, result.cost_usd, requests.quality, requests.cost_usd, result.share, by_task)


def fingerprint(table: OutcomeTable, warmup: OutcomeTable | None, seeds: Sequence[int], how: str) -> str:
    """A name for all that a run depends on but its budget: two tunings that share it share their runs."""
    digest = hashlib.sha256(f"{_FORMAT}|{__version__}|{list(seeds)}|{how}".encode())
    for each in (table,) if warmup is None else (table, warmup):
        for part in (each.quality, each.cost_usd, each.features, each.input_tokens, each.task_of):
            digest.update(np.ascontiguousarray(part).tobytes())
        digest.update("|".join((*each.models, *each.tasks, *(prompt or "" for prompt in each.prompts))).encode())
    return digest.hexdigest()[:32]


class KeptRuns:
    """Finished runs in a file of JSON lines: the first says what they belong to, each other is one run.

    Args:
        path: the file; made at the first run. None = nothing is kept.
        belongs_to: the fingerprint.

    Raises:
        InputError: the file is of another tuning, or cannot be read.
    """

    def __init__(self, path: Path | None, belongs_to: str) -> None:
        self._path, self._belongs_to = path, belongs_to
        self.runs: dict[float, Run] = {}
        if path is not None and path.exists():
            self._load(path)

    def add(self, run: Run) -> None:
        """Takes a run in; it is on disk once this returns.

        Raises:
            InputError: the file cannot be written.
        """
        self.runs[run.budget_usd] = run
        if self._path is None:
            return
        first = not self._path.exists() or self._path.stat().st_size == 0
        lines: list[Mapping[str, Any]] = [{"tuning": self._belongs_to}] if first else []
        text = b"".join(
            orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY)
            for line in (*lines, asdict(run))
        )
        try:
            with self._path.open("ab") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._unusable(error) from error

    def _load(self, path: Path) -> None:
        try:
            lines = path.read_bytes().splitlines(keepends=True)
        except OSError as error:
            raise self._unusable(error) from error
        if not lines:
            return
        if _parsed(lines[0]).get("tuning") != self._belongs_to:
            remedy = "name another file, or take this one away"
            raise InputError(
                "holds another tuning: other tables, seeds or features, or another version",
                remedy=remedy,
                path=str(path),
            )
        whole = [line for line in lines[1:] if line.endswith(b"\n")]
        for number, line in enumerate(whole, start=2):  # the last may be torn: its run is made again
            run = _run_in(line)
            if run is None:
                raise InputError("holds no run", remedy="take the line away", path=str(path), line=number)
            self.runs[run.budget_usd] = run
        if len(whole) < len(lines) - 1:
            path.write_bytes(b"".join(lines[: 1 + len(whole)]))

    def _unusable(self, error: OSError) -> InputError:
        reason = (error.strerror or str(error)).lower()
        return InputError(f"cannot be read or written: {reason}", remedy="choose another place", path=str(self._path))


def _run_in(line: bytes) -> Run | None:
    """The run that a line holds; None where it holds none."""
    fields = _parsed(line)
    if fields.keys() != {field.name for field in dataclass_fields(Run)}:
        return None
    try:
        arrays = {name: np.asarray(value, dtype=np.float64) for name, value in fields.items()}
        return Run(float(arrays.pop("budget_usd")), **arrays)
    except (TypeError, ValueError):
        return None


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
