"""One row of an outcome table: what it may hold, and what is said where it holds something else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

from pydantic import Field, TypeAdapter, ValidationError

from banditroute.errors import TableError
from banditroute.simulation.values import (
    Amount,
    Count,
    FieldName,
    Number,
    Place,
    Score,
    Steps,
    Text,
    json_field,
    problem_of,
)


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What one model did on one row; quality in [0, 1]."""

    quality: Score
    cost_usd: Amount
    output_tokens: Count | None = None
    latency_s: Amount | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One request as a file holds it; None where a field is absent or null, further fields are ignored."""

    id: Text
    task: Text | None = None
    prompt: Annotated[str, Field(strict=True)] | None = None
    input_tokens: Count | None = None
    features: list[Number] | None = None
    at: Number | None = None
    outcomes: Annotated[dict[Text, RowOutcome], Field(min_length=1)]


class PlacedRow(NamedTuple):
    """A row and where it stands."""

    place: Place
    row: Row


def parse_json(line: str, place: Place) -> PlacedRow:
    """The row that one line of JSON holds.

    Raises:
        TableError: the line is not JSON, not an object, or a field is missing or wrong.
    """
    try:
        return PlacedRow(place, _ROW.validate_json(line))
    except ValidationError as error:
        raise _explain(error, place, json_field) from None


def parse_values(values: Mapping[str, Any], place: Place, name: FieldName) -> PlacedRow:
    """The row made of values that a file of columns holds; absent ones are left out or None.

    Raises:
        TableError: a field is missing or wrong; name says which column that is.
    """
    try:
        return PlacedRow(place, _ROW.validate_python(values))
    except ValidationError as error:
        raise _explain(error, place, name) from None


_ROW = TypeAdapter(Row)

_REMEDIES = {
    "id": "give every row a text that no other row has",
    "task": "name the row's task class or leave it out",
    "prompt": "give the prompt as text or leave it out",
    "input_tokens": "give a whole number of tokens or leave it out",
    "features": "give finite numbers, equally many on every row, or leave features out of all rows",
    "at": "give the instant in seconds as a number or leave it out",
    "outcomes": "give the outcome of at least one model",
    "quality": "give a score from 0 to 1, or leave the model out of this row if it was not observed",
    "cost_usd": "give dollars, 0 or more, or leave the model out of this row if it was not observed",
    "output_tokens": "give a whole number of tokens or leave it out",
    "latency_s": "give seconds as a number of at least 0 or leave it out",
}
_MODEL_REMEDY = "give the model's quality and cost_usd, or leave it out of this row if it was not observed"
_LINE_REMEDY = "write one JSON object per line"


def _explain(error: ValidationError, place: Place, name: FieldName) -> TableError:
    """The first thing that pydantic found wrong, in the file's own terms."""
    first = error.errors(include_url=False)[0]
    steps = first["loc"]
    if steps[-1:] == ("[key]",):  # of outcomes, the only mapping: a model's name
        return place.error("a model's name is empty", name(steps[:1]), "name every model")
    return place.error(problem_of(first), name(steps) or None, _remedy(steps))


def _remedy(steps: Steps) -> str:
    if not steps:
        return _LINE_REMEDY
    field = steps[0]
    if field == "outcomes" and len(steps) > 1:
        return _REMEDIES[str(steps[2])] if len(steps) > 2 else _MODEL_REMEDY
    return _REMEDIES[str(field)]
