"""From figures to the outcome table that the simulator takes."""

from __future__ import annotations

import numpy as np

from banditroute.benching.calls import row_id
from banditroute.benching.figures import Figures
from banditroute.benching.planning import BenchPlan
from banditroute.records import ChatRequest
from banditroute.routing.requests import input_tokens
from banditroute.simulation.table import OutcomeTable


def outcome_table(plan: BenchPlan, figures: Figures, *, keep_prompts: bool = False) -> OutcomeTable | None:
    """The outcome table, None where no answer has a quality: a row for each time a prompt was asked, as in the file.

    A model is missing from a row where its call failed or its answer has no quality; a row where all are is left out.

    Args:
        plan: what was run.
        figures: what came of it.
        keep_prompts: the table holds the prompts' texts, which `simulate --features prompt` needs.
    """
    known = np.isfinite(figures.quality)
    observed = known.any(axis=2)
    if not observed.any():
        return None
    quality, cost_usd, output_tokens, latency_s = (np.where(known, each, np.nan)[observed] for each in figures)
    places = [(int(row), int(turn) + 1) for row, turn in np.argwhere(observed)]
    rows = [row for row, _ in places]
    tasks = tuple(sorted({plan.tasks[row] for row in rows}))
    requests = [plan.prompts.rows[row].request for row in rows]
    return OutcomeTable(
        name=plan.prompts.name,
        ids=tuple(row_id(plan.prompts.rows[row].id, turn) for row, turn in places),
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


def _text(request: ChatRequest) -> str | None:
    """What the user wrote last, as far as it is text."""
    said = [message.get("content") for message in request.messages if message.get("role") == "user"]
    return said[-1] if said and isinstance(said[-1], str) else None
