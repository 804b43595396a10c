"""One row of a decision log: what it may hold, and what is said where it holds something else."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from banditroute.errors import TableError
from banditroute.simulation.values import Count, Number, Place, Score, Steps, Text, json_field, problem_of

_SUM = 1e-6  # how far probabilities may be from summing to one: they were written as decimals
_CLOSE = 0.01  # how far, in parts of itself, a propensity may be from its own entry among them
_LEAST = 1e-9  # what is drawn with a smaller chance is not seen in any log
_MOST = 1e9  # dollars, seconds, and features of a prompt: no sum of squares overflows

Measure = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, le=_MOST)]
Feature = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-_MOST, le=_MOST)]


@dataclass(frozen=True, slots=True)
class ShadowRow:
    """What a policy that decided beside the logging one would have drawn from."""

    policy: Text
    propensities: dict[Text, Number]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One decision as a file holds it; None where a field is absent or null, further fields are ignored."""

    decision_id: Text
    at: Number | None = None
    task: Text
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    encoder_version: Text | None = None
    features: list[Feature] | None = None
    eligible: Annotated[list[Text], Field(min_length=1)]
    chosen: Text
    served: Text | None = None
    propensity: Number | None = None
    propensities: dict[Text, Number] | None = None
    quality: Score | None = None
    cost_usd: Measure
    latency_s: Measure
    policy: Annotated[str, Field(strict=True)] | None = None
    shadow: ShadowRow | None = None


def parse(line: str, place: Place) -> LogRow:
    """The row that one line of JSON holds.

    Raises:
        TableError: the line is not JSON, not an object, or a field is missing or of the wrong kind.
    """
    try:
        return _ROW.validate_json(line)
    except ValidationError as error:
        raise _explain(error, place) from None


def flaw(row: LogRow) -> str:
    """Why a well-formed row cannot be evidence, in words that rows of one kind share; empty where it can."""
    if row.chosen not in row.eligible:
        return "chosen is not among eligible"
    if row.propensity is None:
        return "" if row.propensities is None else "propensities are given, and propensity is not"
    if row.propensity <= 0.0:
        return "propensity is 0 or below: what was chosen could not have been"
    if row.propensity < _LEAST:
        return f"propensity is below {_LEAST:g}: what was chosen could hardly have been"
    if row.propensity > 1.0:
        return "propensity is above 1"
    return "" if row.propensities is None else _flaw_of_all(row.propensity, row.propensities, row)


def _flaw_of_all(propensity: float, propensities: dict[str, float], row: LogRow) -> str:
    if min(propensities.values(), default=0.0) < 0.0:
        return "propensities has a negative one"
    if any(p > 0.0 and model not in row.eligible for model, p in propensities.items()):
        return "propensities has a model that is not among eligible"
    if not math.isclose(math.fsum(propensities.values()), 1.0, abs_tol=_SUM):
        return "propensities do not sum to 1"
    own = propensities.get(row.chosen, 0.0)
    if abs(own - propensity) > min(_SUM, _CLOSE * propensity):
        return "propensity is not that of chosen in propensities"
    return ""


_ROW = TypeAdapter(LogRow)

_REMEDIES = {
    "decision_id": "give every decision a text that no other has",
    "at": "give the instant in seconds as a number or leave it out",
    "task": "name the row's task class; one for all where there are none",
    "input_tokens": "give a whole number of tokens or leave it out",
    "output_tokens": "give a whole number of tokens or leave it out",
    "encoder_version": "name the encoder that made the features or leave it out",
    "features": "give finite numbers, equally many on every row, or leave features out of all rows",
    "eligible": "list the models that could have been drawn",
    "chosen": "name the model that was drawn",
    "served": "name the model that answered or leave it out",
    "propensity": "give the probability with which chosen was drawn, or null where nothing was drawn",
    "propensities": "give each eligible model's probability or leave it out",
    "quality": "give a score from 0 to 1, or leave it out where nobody judged",
    "cost_usd": "give dollars, 0 or more",
    "latency_s": "give seconds, 0 or more",
    "policy": "name the policy that decided or leave it out",
    "shadow": 'write {"policy": NAME, "propensities": {MODEL: p}} or leave it out',
}
_LINE_REMEDY = "write one JSON object per line"


def _explain(error: ValidationError, place: Place) -> TableError:
    """The first thing that pydantic found wrong, in the file's own terms."""
    first = error.errors(include_url=False)[0]
    steps: Steps = first["loc"]
    remedy = _REMEDIES[str(steps[0])] if steps else _LINE_REMEDY
    return place.error(problem_of(first), json_field(steps) or None, remedy)
