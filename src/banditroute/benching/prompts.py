"""Reading the prompts of a benchmark: JSON lines, each refused with its place where it is none."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from banditroute.errors import InputError, InvalidRequestError
from banditroute.records import ChatRequest
from banditroute.routing.requests import chat_request, demand_of, input_tokens
from banditroute.routing.tasks import JUDGE_TASK
from banditroute.simulation.reading import check_file, numbered_lines, read_text
from banditroute.simulation.values import Place, json_field, problem_of

_ENDINGS = (".jsonl.gz", ".jsonl", ".ndjson")
_NOT_TO_SEND = frozenset({"model", "stream"})
_TERMS = frozenset({"tenant", "session_id", "features", "max_cost_usd", "max_latency_s", "allowed", "denied"})
_TAKEN = _NOT_TO_SEND | _TERMS | {"timeout_s"}
_FORM = 'write {"prompt": "..."} or {"messages": [...]} on each line'

Text = Annotated[str, Field(strict=True, min_length=1)]


@dataclass(frozen=True, slots=True)
class BenchPrompt:
    """One prompt that every model is asked.

    Attributes:
        id: its name; unique in a file.
        request: what is sent.
        task: its task class; None = nobody has said.
        expected: the right answer, where one is given: for graders and judges, never for a provider.
    """

    id: str
    request: ChatRequest
    task: str | None = None
    expected: str | None = None


@dataclass(frozen=True, slots=True)
class Prompts:
    """The prompts of a file.

    Attributes:
        name: the file's, without its ending.
        rows: in the file's order.
    """

    name: str
    rows: tuple[BenchPrompt, ...]


class _Line(BaseModel):
    """A line as it is written; what it has besides is part of the request."""

    model_config = ConfigDict(extra="allow")

    id: Text | Annotated[int, Field(strict=True)] | None = None
    prompt: Text | None = None
    messages: list[Any] | None = None
    task: Text | None = None
    expected: Text | Annotated[int, Field(strict=True)] | Annotated[float, Field(strict=True)] | None = None

    @property
    def params(self) -> Mapping[str, Any]:
        return self.model_extra or {}


def read_prompts(path: str | os.PathLike[str]) -> Prompts:
    """The prompts of a .jsonl or .jsonl.gz file.

    Each line is `{"prompt": TEXT}` or `{"messages": [...]}`, with `id`, `task` and `expected` where they are known;
    everything else that stands there, such as `max_tokens`, is sent with the request. A line without an id is called
    after its number.

    Raises:
        InputError: the file cannot be read, has no prompts, or a line is none: file, line and field, what is wrong.
    """
    where = os.fspath(path)
    name = PurePath(where).name
    ending = next((each for each in _ENDINGS if name.lower().endswith(each)), None)
    if ending is None:
        raise InputError("is not a file of JSON lines", remedy="name a .jsonl or .jsonl.gz file", path=where)
    check_file(where)
    text = read_text(where, gzipped=ending.endswith(".gz"))
    rows = tuple(_rows(text, where))
    if not rows:
        raise InputError("has no prompts", remedy=_FORM, path=where)
    return Prompts(name[: -len(ending)], rows)


def _rows(text: str, where: str) -> Iterator[BenchPrompt]:
    seen: dict[str, int] = {}
    for number, line in numbered_lines(text):
        place = Place(where, number)
        row = _row(_parsed(line, place), place)
        before = seen.setdefault(row.id, number)
        if before != number:
            raise place.error(f"{row.id!r} stands on line {before} already", "id", "give each prompt an id of its own")
        yield row


def _parsed(line: str, place: Place) -> _Line:
    try:
        return _Line.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise place.error(problem_of(first), json_field(first["loc"][:1]) or None, _FORM) from None


def _row(line: _Line, place: Place) -> BenchPrompt:
    if (line.prompt is None) == (line.messages is None):
        problem = "is missing" if line.prompt is None else "stands beside messages"
        raise place.error(problem, "prompt", _FORM)
    if taken := sorted(_TAKEN & line.params.keys()):
        raise place.error("is not for a prompt to say", taken[0], "leave it out")
    if line.task is not None and line.task.startswith(JUDGE_TASK):
        raise place.error(f"begins with {JUDGE_TASK}, which is kept for judges", "task", "name the task otherwise")
    identity = f"line-{place.line}" if line.id is None else str(line.id)
    expected = None if line.expected is None else str(line.expected)
    return BenchPrompt(identity, _request(line, place), line.task, expected)


def _request(line: _Line, place: Place) -> ChatRequest:
    """The request, which a model can be asked at all."""
    try:
        request = chat_request(line.messages if line.prompt is None else line.prompt, line.params)
        demand_of(request, input_tokens(request))
    except InvalidRequestError as error:
        raise place.error(error.problem, error.field, error.remedy or _FORM) from None
    return request
