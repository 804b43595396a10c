"""What stands in files of data: the values that a field may hold, and what is said of others."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field
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


class Place(NamedTuple):
    """Where a row stands: a file, and a line (or in Parquet a row) counted from 1."""

    path: str
    line: int | None

    def error(self, problem: str, field: str | None, remedy: str) -> TableError:
        """A TableError that names this place."""
        return TableError(problem, remedy=remedy, path=self.path, line=self.line, field=field)


Steps = tuple[int | str, ...]
"""The way to a value inside a row, e.g. ("outcomes", "gpt-4o", "quality") or ("features", 3)."""

FieldName = Callable[[Steps], str]
"""What a file calls the value at the end of some steps."""


def json_field(steps: Steps) -> str:
    """The dotted path of a value, e.g. outcomes.gpt-4o.quality or features[3]."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{printable(step)}" for step in steps).removeprefix(".")


def printable(text: str) -> str:
    """The text, quoted and escaped if it would break the line that it is shown in."""
    return text if text.isprintable() else ascii(text)


def problem_of(details: ErrorDetails) -> str:
    """What pydantic found wrong with one value, in plain words."""
    if details["input"] is None and details["loc"]:
        return "is missing"
    template = _PROBLEMS.get(details["type"])
    if template is None:
        return details["msg"]
    # A line of JSON is line 1 to its parser; the place already names the line in the file.
    return template.format(value=_shown(details["input"]), **details.get("ctx", {})).replace("line 1 column", "column")


_PROBLEMS = {
    "missing": "is missing",
    "float_type": "is {value}, not a number",
    "string_type": "is {value}, not text",
    "list_type": "is {value}, not a list",
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


def _shown(value: object) -> str:
    """The value as JSON writes it, cut to a length that fits a line."""
    text = json.dumps(value, default=repr)
    return text if len(text) <= 40 else f"{text[:37]}..."
