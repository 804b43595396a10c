"""One row of an outcome table: what it may hold, and what is said where it holds something else."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from banditroute.errors import TableError


def _whole(value: float) -> float:
    if not value.is_integer():
        raise PydanticCustomError("whole_number", "not a whole number")
    return value


# Strict leaf by leaf: "0.5" and true are not numbers, yet a plain dict may become a row.
Text = Annotated[str, Field(strict=True, min_length=1)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Amount = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0)]
Score = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, le=1)]
Count = Annotated[Amount, AfterValidator(_whole)]


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


class Place(NamedTuple):
    """Where a row stands: a file, and a line (or in Parquet a row) counted from 1."""

    path: str
    line: int | None

    def error(self, problem: str, field: str | None, remedy: str) -> TableError:
        """A TableError that names this place."""
        return TableError(problem, remedy=remedy, path=self.path, line=self.line, field=field)


class PlacedRow(NamedTuple):
    """A row and where it stands."""

    place: Place
    row: Row


Steps = tuple[int | str, ...]
"""The way to a value inside a row, e.g. ("outcomes", "gpt-4o", "quality") or ("features", 3)."""

FieldName = Callable[[Steps], str]
"""What a file calls the value at the end of some steps."""


def json_field(steps: Steps) -> str:
    """The dotted path of a value, e.g. outcomes.gpt-4o.quality or features[3]."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{printable(step)}" for step in steps).removeprefix(".")


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


def printable(text: str) -> str:
    """The text, quoted and escaped if it would break the line that it is shown in."""
    return text if text.isprintable() else ascii(text)


_ROW = TypeAdapter(Row)

_PROBLEMS = {
    "missing": "is missing",
    "float_type": "is {value}, not a number",
    "string_type": "is {value}, not text",
    "list_type": "is {value}, not a list of numbers",
    "dict_type": "is {value}, not an object",
    "dataclass_type": "is {value}, not an object",
    "finite_number": "is NaN or infinite",
    "whole_number": "is {value}, not a whole number",
    "greater_than_equal": "is {value}, below {ge:g}",
    "less_than_equal": "is {value}, above {le:g}",
    "too_short": "is empty",
    "string_too_short": "is empty",
    "json_invalid": "is not JSON: {error}",
}

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
    return place.error(_problem(first), name(steps) or None, _remedy(steps))


def _problem(details: ErrorDetails) -> str:
    if details["input"] is None and details["loc"]:
        return "is missing"
    template = _PROBLEMS.get(details["type"])
    if template is None:
        return details["msg"]
    # A line of JSON is line 1 to its parser; the place already names the line in the file.
    return template.format(value=_shown(details["input"]), **details.get("ctx", {})).replace("line 1 column", "column")


def _remedy(steps: Steps) -> str:
    if not steps:
        return _LINE_REMEDY
    field = steps[0]
    if field == "outcomes" and len(steps) > 1:
        return _REMEDIES[str(steps[2])] if len(steps) > 2 else _MODEL_REMEDY
    return _REMEDIES[str(field)]


def _shown(value: object) -> str:
    """The value as JSON writes it, cut to a length that fits a line."""
    text = json.dumps(value, default=repr)
    return text if len(text) <= 40 else f"{text[:37]}..."
