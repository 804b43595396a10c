"""The lines of a benchmark's journal: what each says, written and read."""

from __future__ import annotations

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


class BegunLine(_Line):
    """A call is about to be made, which may cost so many dollars: known should nothing else be heard of it."""

    kind: Literal["begun"] = "begun"
    id: str
    model: str
    turn: int
    most_usd: Usd | None = None

    @property
    def key(self) -> CallKey:
        """Which call."""
        return CallKey(self.id, self.model, self.turn)


class LeftLine(_Line):
    """A call was left without an end, to be made another time; its attempts are taken to have cost something."""

    kind: Literal["left"] = "left"
    id: str
    model: str
    turn: int
    spent_usd: Usd = 0.0

    @property
    def key(self) -> CallKey:
        """Which call."""
        return CallKey(self.id, self.model, self.turn)


class JudgedLine(_Line):
    """A judge was asked, or a baseline for it."""

    kind: Literal["judged"] = "judged"
    spent_usd: Usd


class CallLine(_Line):
    """A call is over."""

    kind: Literal["call"] = "call"
    id: str
    model: str
    turn: int
    failure: str = ""
    spent_usd: Usd = 0.0
    cost_usd: Usd = 0.0
    latency_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    input_tokens: Annotated[int, Field(ge=0)] = 0
    output_tokens: Annotated[int, Field(ge=0)] = 0
    grades: dict[str, Annotated[float, Field(ge=0, le=1)]] = {}
    ungraded: dict[str, str] = {}
    text: str | None = None

    @classmethod
    def of(cls, call: FinishedCall) -> CallLine:
        """The line of a call."""
        key = call.key
        return cls(
            id=key.id,
            model=key.model,
            turn=key.turn,
            failure=call.failure,
            spent_usd=call.spent_usd,
            cost_usd=call.cost_usd,
            latency_s=call.latency_s,
            input_tokens=call.input_tokens,
            output_tokens=call.output_tokens,
            grades=dict(call.grades),
            ungraded=dict(call.ungraded),
            text=call.text,
        )

    @property
    def call(self) -> FinishedCall:
        """The call."""
        return FinishedCall(
            CallKey(self.id, self.model, self.turn),
            self.failure,
            self.spent_usd,
            self.cost_usd,
            self.latency_s,
            self.input_tokens,
            self.output_tokens,
            self.grades,
            self.ungraded,
            self.text,
        )


Line = HeadLine | ModelLine | BegunLine | LeftLine | JudgedLine | CallLine

_LINE: TypeAdapter[Line] = TypeAdapter(Annotated[Line, Field(discriminator="kind")])


def written(line: Line) -> bytes:
    """The line, with its end."""
    fields: dict[str, Any] = {"kind": line.kind, **line.model_dump(exclude_defaults=True)}
    if isinstance(line, HeadLine):
        fields["format"] = line.format
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)


def read(line: bytes) -> Line:
    """The line; raises pydantic's ValidationError where it is none."""
    return _LINE.validate_json(line)


def head(prints: Fingerprints) -> HeadLine:
    """The first line of a journal."""
    return HeadLine(prompts=prints.prompts, grading=prints.grading)
