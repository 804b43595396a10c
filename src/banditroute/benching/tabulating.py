"""From finished calls to the outcome table that the simulator takes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from banditroute.benching.calls import CallKey, FinishedCall, row_id
from banditroute.benching.grading import Weighing
from banditroute.benching.planning import BenchPlan
from banditroute.records import ChatRequest
from banditroute.routing.requests import input_tokens
from banditroute.simulation.table import OutcomeTable


def outcome_table(
    plan: BenchPlan, calls: Mapping[CallKey, FinishedCall], weighing: Weighing, *, keep_prompts: bool = False
) -> OutcomeTable | None:
    """The outcome table, None where no answer has a quality: a row for each time a prompt was asked, as in the file.

    A model is missing from a row where its call failed or its answer has no quality; a row where all are is left out.

    Args:
        plan: what was run.
        calls: what came of it.
        weighing: makes one quality of several grades.
        keep_prompts: the table holds the prompts' texts, which `simulate --features prompt` needs.
    """
    turns = [(row, turn) for row in range(len(plan.prompts.rows)) for turn in range(1, plan.repeats + 1)]
    outcomes = [
        [_outcome(calls.get(plan.key(row, name, turn)), weighing) for name in plan.models] for row, turn in turns
    ]
    block = np.array(outcomes)
    observed = np.isfinite(block[:, :, 0]).any(axis=1)
    if not observed.any():
        return None
    kept = [turns[i] for i in np.flatnonzero(observed)]
    rows = [row for row, _ in kept]
    quality, cost_usd, output_tokens, latency_s = np.moveaxis(block[observed], -1, 0)
    tasks = tuple(sorted({plan.tasks[row] for row in rows}))
    requests = [plan.prompts.rows[row].request for row in rows]
    return OutcomeTable(
        name=plan.prompts.name,
        ids=tuple(row_id(plan.prompts.rows[row].id, turn) for row, turn in kept),
        models=plan.models,
        tasks=tasks,
        task_of=np.array([tasks.index(plan.tasks[row]) for row in rows]),
        input_tokens=np.array([input_tokens(request) for request in requests], dtype=np.float64),
        features=np.empty((len(rows), 0)),
        at=np.full(len(rows), np.nan),
        prompts=tuple(_text(request) if keep_prompts else None for request in requests),
        quality=quality,
        cost_usd=cost_usd,
        output_tokens=output_tokens,
        latency_s=latency_s,
    )


def _outcome(call: FinishedCall | None, weighing: Weighing) -> tuple[float, float, float, float]:
    """Quality, dollars, tokens and seconds; all nan where there is no quality."""
    quality = None if call is None or not call.answered else weighing.quality(call.grades)
    if call is None or quality is None:
        return np.nan, np.nan, np.nan, np.nan
    latency_s = np.nan if call.latency_s is None else call.latency_s
    return quality, call.cost_usd, float(call.output_tokens), latency_s


def _text(request: ChatRequest) -> str | None:
    """What the user wrote last, as far as it is text."""
    said = [message.get("content") for message in request.messages if message.get("role") == "user"]
    return said[-1] if said and isinstance(said[-1], str) else None
