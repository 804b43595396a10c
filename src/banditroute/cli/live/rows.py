"""The requests of the demo: the rows of the tables that the package ships, with prompts of our own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import as_file, files
from typing import NamedTuple

from banditroute.simulation.loading import load_table
from banditroute.simulation.table import OutcomeTable

TABLES = ("demo_warmup.jsonl.gz", "demo_table.jsonl.gz")

_CHARACTERS_PER_TOKEN = 4
_MESSAGE_TOKENS = 4
_FILLER = "and so on "
_ID = re.compile(r"Demo request (\w+)")


class ModelOutcome(NamedTuple):
    """What a model scored and was billed on one request."""

    quality: float
    cost_usd: float


class DemoRow(NamedTuple):
    """One request, and what every model made of it."""

    id: str
    task: str
    input_tokens: int
    features: tuple[float, ...]
    outcomes: Mapping[str, ModelOutcome]


def shipped_rows() -> list[DemoRow]:
    """Every row of the shipped tables, the warm-up's first."""
    return [row for name in TABLES for row in _rows(_load(name))]


def prompt_of(row: DemoRow) -> str:
    """A prompt that names the row and is about as long as the one that the row was measured on."""
    opening = f"Demo request {row.id} ({row.task}): "
    room = (row.input_tokens - _MESSAGE_TOKENS) * _CHARACTERS_PER_TOKEN - len(opening)
    return (opening + _FILLER * (room // len(_FILLER) + 1)).rstrip() if room > 0 else opening.rstrip(": ")


def id_in(prompt: str) -> str:
    """The id of the row that a prompt names; empty where it names none."""
    found = _ID.match(prompt)
    return found[1] if found else ""


def best_of(rows: Sequence[DemoRow]) -> str:
    """The model that is best on these rows on average."""
    return max(rows[0].outcomes, key=lambda model: sum(row.outcomes[model].quality for row in rows))


def cheapest_of(rows: Sequence[DemoRow]) -> str:
    """The model that is cheapest on these rows on average."""
    return min(rows[0].outcomes, key=lambda model: sum(row.outcomes[model].cost_usd for row in rows))


def _load(name: str) -> OutcomeTable:
    with as_file(files("banditroute") / "data" / name) as path:
        return load_table(path)


def _rows(table: OutcomeTable) -> Iterator[DemoRow]:
    quality, cost_usd, features = table.quality.tolist(), table.cost_usd.tolist(), table.features.tolist()
    for place, name in enumerate(table.ids):
        outcomes = map(ModelOutcome, quality[place], cost_usd[place])
        yield DemoRow(
            id=name,
            task=table.tasks[int(table.task_of[place])],
            input_tokens=int(table.input_tokens[place]),
            features=tuple(features[place]),
            outcomes=dict(zip(table.models, outcomes, strict=True)),
        )
