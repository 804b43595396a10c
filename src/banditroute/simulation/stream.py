"""What a simulated router sees: the warm-up rows and then the table's, in a random order for each seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from banditroute.errors import TableError
from banditroute.learning.inputs import inputs_of_rows

from .stages import News, Script
from .table import OutcomeTable

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NO_TASK = "all"
"""The class of a row that names none."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Rows of both tables as arrays; the first `warm` come from the warm-up table and are not scored.

    Attributes:
        tasks: (C,) class names.
        task: (n,) class of each row.
        x: (n, X) inputs: 1, centred log tokens, features.
        quality: (m, K), nan where not observed. A row's outcomes may change on the way: m is n where they do not,
            else every further stage of a scenario appends the scored rows as they are then.
        cost_usd: (m, K), nan likewise.
        latency_s: (m, K), nan where absent.
        warm: rows that are not scored.
        shift: (n,) what takes a row streamed at each position in time to its outcomes.
        news: what policies are told before the request at a position.
        missing: (K,) share of each model's answers that are never judged.
        delay_requests: after so many further requests the others are.
    """

    tasks: tuple[str, ...]
    task: Ints
    x: Floats
    quality: Floats
    cost_usd: Floats
    latency_s: Floats
    warm: int
    shift: Ints
    missing: Floats
    delay_requests: int = 0
    news: Mapping[int, tuple[News, ...]] = field(default_factory=dict[int, tuple[News, ...]])

    @property
    def observed(self) -> NDArray[np.bool_]:
        """(m, K) models that may serve each row."""
        return ~np.isnan(self.quality)

    def order(self, seed: int) -> Ints:
        """Row indices (n,) in the order that a seed streams them: warm-up first, each part shuffled."""
        rng = np.random.default_rng([seed, 0])
        scored = self.task.size - self.warm
        return np.concatenate([rng.permutation(self.warm), self.warm + rng.permutation(scored)])


def stream_of(table: OutcomeTable, warmup: OutcomeTable | None, *, features: bool, classes: bool) -> Stream:
    """The stream of a table, after an optional warm-up table.

    Raises:
        TableError: the two tables' features differ in width, or the warm-up shares no model with the table.
    """
    parts = [table] if warmup is None else [_aligned(warmup, table), table]
    tasks, task = _classes(parts) if classes else ((NO_TASK,), np.zeros(_rows(parts), dtype=np.int64))
    tokens = np.concatenate([part.input_tokens for part in parts])
    encoded = np.concatenate([part.features for part in parts]) if features else np.zeros((task.size, 0))
    quality = np.concatenate([part.quality for part in parts])
    cost = np.concatenate([part.cost_usd for part in parts])
    return Stream(
        tasks=tasks,
        task=task,
        x=inputs_of_rows(tokens, encoded),
        quality=quality,
        cost_usd=cost,
        latency_s=np.concatenate([part.latency_s for part in parts]),
        warm=_rows(parts[:-1]),
        shift=np.zeros(task.size, dtype=np.int64),
        missing=np.zeros(len(table.models)),
    )


def staged(stream: Stream, script: Script) -> Stream:
    """The stream of the first stage's table, taken through all stages."""
    stages, feedback = script.stages, script.feedback
    later = [stage.table for stage in stages[1:]]
    stage_at = np.repeat(np.arange(len(stages)), [stage.last - stage.first for stage in stages])
    models = stages[0].table.models
    return replace(
        stream,
        quality=np.concatenate([stream.quality, *(table.quality for table in later)]),
        cost_usd=np.concatenate([stream.cost_usd, *(table.cost_usd for table in later)]),
        latency_s=np.concatenate([stream.latency_s, *(table.latency_s for table in later)]),
        shift=np.concatenate([np.zeros(stream.warm, np.int64), stage_at * stage_at.size]),
        missing=np.array([feedback.missing_by_model.get(model, feedback.missing) for model in models]),
        delay_requests=feedback.delay_requests,
        news={stream.warm + stage.first: stage.news for stage in stages if stage.news},
    )


def _rows(parts: list[OutcomeTable]) -> int:
    return sum(part.requests for part in parts)


def _aligned(warmup: OutcomeTable, table: OutcomeTable) -> OutcomeTable:
    """The warm-up's rows with the table's models; rows that observe none of them are left out."""
    widths = warmup.features.shape[1], table.features.shape[1]
    if widths[0] != widths[1]:
        problem = f"the warm-up table has {widths[0]} features a row, {table.name} has {widths[1]}"
        raise TableError(
            problem, remedy="encode both alike, or use --features none", path=warmup.name, field="features"
        )
    aligned = warmup.with_models(table.models)
    rows = np.flatnonzero(aligned.observed.any(1))
    if rows.size == 0:
        remedy = f"the table's models are: {', '.join(table.models)}"
        raise TableError("no model of the scored table is observed", remedy=remedy, path=warmup.name, field="outcomes")
    return aligned.select(rows)


def _classes(parts: list[OutcomeTable]) -> tuple[tuple[str, ...], Ints]:
    names = [np.array([*part.tasks, NO_TASK], dtype=object)[part.task_of] for part in parts]
    flat = np.concatenate(names)
    tasks = tuple(sorted(set(flat)))
    index = {name: i for i, name in enumerate(tasks)}
    return tasks, np.array([index[name] for name in flat], dtype=np.int64)
