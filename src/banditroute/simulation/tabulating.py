"""From checked rows of any format to one outcome table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from banditroute.simulation.table import OutcomeTable
from banditroute.simulation.values import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from banditroute.simulation.results import Floats
    from banditroute.simulation.rows import PlacedRow, Row, RowOutcome
    from banditroute.simulation.values import Place


def tabulate(name: str, placed: Sequence[PlacedRow]) -> OutcomeTable:
    """The table that rows make together: models in the order in which rows first observe them, classes sorted.

    Raises:
        TableError: an id stands there twice, or rows differ in their number of features.
    """
    _check_ids(placed)
    _check_widths(placed)
    rows = [row for _, row in placed]
    models = tuple(dict.fromkeys(model for row in rows for model in row.outcomes))
    tasks = tuple(sorted({row.task for row in rows if row.task is not None}))
    index = {task: c for c, task in enumerate(tasks)}
    quality, cost_usd, output_tokens, latency_s = _outcomes(rows, models)
    return OutcomeTable(
        name=name,
        ids=tuple(row.id for row in rows),
        models=models,
        tasks=tasks,
        task_of=np.array([-1 if row.task is None else index[row.task] for row in rows]),
        input_tokens=np.array([_or_nan(row.input_tokens) for row in rows]),
        features=np.array([row.features or () for row in rows], dtype=np.float64),
        at=np.array([_or_nan(row.at) for row in rows]),
        prompts=tuple(row.prompt or None for row in rows),  # an empty prompt is none: CSV cannot tell them apart
        quality=quality,
        cost_usd=cost_usd,
        output_tokens=output_tokens,
        latency_s=latency_s,
    )


def _outcomes(rows: Sequence[Row], models: Sequence[str]) -> Floats:
    """Quality, cost_usd, output_tokens and latency_s, (4, n, K); nan where absent."""
    column = {model: k for k, model in enumerate(models)}
    block = np.full((len(rows), len(models), 4), np.nan)
    for i, row in enumerate(rows):
        for model, outcome in row.outcomes.items():
            block[i, column[model]] = _numbers(outcome)
    return np.moveaxis(block, -1, 0)


def _numbers(outcome: RowOutcome) -> tuple[float, float, float, float]:
    return outcome.quality, outcome.cost_usd, _or_nan(outcome.output_tokens), _or_nan(outcome.latency_s)


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value


def _check_ids(placed: Sequence[PlacedRow]) -> None:
    first: dict[str, Place] = {}
    for place, row in placed:
        if (earlier := first.setdefault(row.id, place)) is not place:
            problem = f"{printable(row.id)} already stands at {earlier.path}:{earlier.line}"
            raise place.error(problem, "id", "give every row a text that no other row has")


def _check_widths(placed: Sequence[PlacedRow]) -> None:
    expected = len(placed[0].row.features or ())
    for place, row in placed:
        if (width := len(row.features or ())) != expected:
            problem = f"has {width or 'no'} numbers, the first row has {expected or 'none'}"
            remedy = "give every row equally many, or leave features out of all rows"
            raise place.error(problem, "features", remedy)
