"""The lines of a benchmark's journal: what each says, written and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from banditroute.benching.calls import CallKey, FinishedCall
from banditroute.benching.fingerprints import Fingerprints

FORMAT = 1

Usd = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HeadLine(_Line):
    """What the calls depend on; the first line."""

    kind: Literal["bench"] = "bench"
    format: int = FORMAT
    prompts: str
    grading: str


class ModelLine(_Line):
    """What the calls of one model depend on; before its first call."""

    kind: Literal["model"] = "model"
    model: str
    fingerprint: str


class _KeyedLine(_Line):
    id: str
    model: str
    turn: int

    @property
    def key(self) -> CallKey:
        """Which call."""
        return CallKey(self.id, self.model, self.turn)


class BegunLine(_KeyedLine):
    """A call is about to be made, which may cost so many dollars: known should nothing else be heard of it."""

    kind: Literal["begun"] = "begun"
    most_usd: Usd | None = None


class LeftLine(_KeyedLine):
    """A call was left without an end, to be made another time; its attempts are taken to have cost something."""

    kind: Literal["left"] = "left"
    spent_usd: Usd = 0.0


class JudgedLine(_Line):
    """A judge was asked, or a baseline for it."""

    kind: Literal["judged"] = "judged"
    spent_usd: Usd


class CallLine(_KeyedLine):
    """A call is over; beside its key it has the fields of a `FinishedCall`."""

    kind: Literal["call"] = "call"
    failure: str = ""
    spent_usd: Usd = 0.0
    cost_usd: Usd = 0.0
    latency_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    input_tokens: Annotated[int, Field(ge=0)] = 0
    output_tokens: Annotated[int, Field(ge=0)] = 0
    grades: Mapping[str, Annotated[float, Field(ge=0, le=1)]] = {}
    ungraded: Mapping[str, str] = {}
    text: str | None = None

    @classmethod
    def of(cls, call: FinishedCall) -> CallLine:
        """The line of a call."""
        return cls(**call.key._asdict(), **{name: getattr(call, name) for name in _FIELDS})

    @property
    def call(self) -> FinishedCall:
        """The call."""
        return FinishedCall(self.key, **{name: getattr(self, name) for name in _FIELDS})


_FIELDS = tuple(field.name for field in fields(FinishedCall) if field.name != "key")

Line = HeadLine | ModelLine | BegunLine | LeftLine | JudgedLine | CallLine

_START = b'{"kind":"'
_LINE: TypeAdapter[Line] = TypeAdapter(Annotated[Line, Field(discriminator="kind")])


def written(line: Line) -> bytes:
    """The line, with its end."""
    fields: dict[str, Any] = {"kind": line.kind, **line.model_dump(exclude_defaults=True)}
    if isinstance(line, HeadLine):
        fields["format"] = line.format
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)


def begins_line(data: bytes) -> bool:
    """Whether this may be the beginning of a line."""
    return data.startswith(_START) or _START.startswith(data)


def read(line: bytes) -> Line:
    """The line; raises pydantic's ValidationError where it is none."""
    return _LINE.validate_json(line)


def head(prints: Fingerprints) -> HeadLine:
    """The first line of a journal."""
    return HeadLine(prompts=prints.prompts, grading=prints.grading)
