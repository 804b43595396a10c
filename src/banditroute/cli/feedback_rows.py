"""Judgements in CSV or JSON lines, read row by row: a file may be longer than memory."""

import csv
import gzip
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TextIO, cast

import orjson

from banditroute.errors import FeedbackError, InputError
from banditroute.grading.signals import Signal, quality_of, signal_of
from banditroute.routing.lessons import checked_quality
from banditroute.simulation.reading import check_file
from banditroute.storage.finding import named_by
from banditroute.storage.protocol import Named

NAMES = ("decision_id", "request_id", "session_id")
COLUMNS = (*NAMES, "quality", "signal", "source", "at", "weight", "every")

_LONGEST_CELL = 2**31 - 1
_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no", "")


class Row(NamedTuple):
    """One judgement: of a decision, or of what was asked under a name; a quality, whatever it was read from."""

    decision_id: str | None
    named: Named | None
    every: bool
    quality: float
    source: str
    at: float | None
    weight: float

    @property
    def what(self) -> str:
        """What it is of: a decision, a request or a session."""
        if self.named is None:
            return "decision"
        return "request" if self.named.request_id else "session"


class Line(NamedTuple):
    """A line of the file: its row, or else what is wrong with it."""

    number: int
    row: Row | None = None
    problem: str = ""


def lines_of(path: Path, source: str) -> Iterator[Line]:
    """Every judgement of a file, in its order.

    Args:
        path: .csv or .jsonl, or either as .gz.
        source: who judged, where a row does not say.

    Raises:
        TableError: there is no such file.
        InputError: it is neither, is not UTF-8, or its header has none of the columns.
    """
    check_file(str(path))
    kind = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    if kind not in ("csv", "jsonl"):
        raise InputError("is neither .csv nor .jsonl", remedy="name it by what it holds", path=str(path))
    opening = gzip.open if path.suffix == ".gz" else Path.open
    with opening(path, "rt", encoding="utf-8-sig", newline="") as file:
        try:
            for number, given in _csv(file, path) if kind == "csv" else _jsonl(file):
                yield _line(number, given, source)
        except (UnicodeDecodeError, EOFError, gzip.BadGzipFile, csv.Error) as error:
            raise InputError(f"cannot be read to its end: {error}", remedy="save it anew", path=str(path)) from None


def _csv(file: TextIO, path: Path) -> Iterator[tuple[int, Any]]:
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.DictReader(file, skipinitialspace=True)
    header = set(reader.fieldnames or ())
    if not header & set(NAMES) or not header & {"quality", "signal"}:
        problem = "its header names no decision_id, request_id or session_id, or neither quality nor signal"
        raise InputError(problem, remedy=f"columns are {', '.join(COLUMNS)}", path=str(path), line=1)
    for cells in reader:
        given = {name: cells[name] for name in COLUMNS if cells.get(name)}
        yield reader.line_num, given if None not in cells else "more cells than the header has"


def _jsonl(file: TextIO) -> Iterator[tuple[int, Any]]:
    for number, text in enumerate(file, 1):
        if text.strip():
            try:
                yield number, orjson.loads(text)
            except orjson.JSONDecodeError as error:
                yield number, f"is not JSON: {error}"


def _line(number: int, given: Any, source: str) -> Line:
    if isinstance(given, str):
        return Line(number, problem=given)
    if not isinstance(given, dict):
        return Line(number, problem="is no JSON object")
    try:
        return Line(number, _row({k: v for k, v in cast("dict[str, Any]", given).items() if v is not None}, source))
    except InputError as error:
        return Line(number, problem=str(error))


def _row(given: Mapping[str, Any], source: str) -> Row:
    names = {name: _text(given[name], name) for name in NAMES if name in given}
    if len(names) != 1:
        raise FeedbackError(f"expected one of {', '.join(NAMES)}, got {len(names)}")
    if ("quality" in given) == ("signal" in given):
        raise FeedbackError("give a quality, or a signal that stands for one", field="quality")
    quality = _number(given["quality"], "quality") if "quality" in given else quality_of(_signal(given["signal"]))
    weight = _number(given.get("weight", 1.0), "weight")
    if not 0 <= weight <= 1:
        raise FeedbackError(f"{weight:g} is not a weight", remedy="give a number from 0 to 1", field="weight")
    return Row(
        names.get("decision_id"),
        named_by(names.get("request_id"), names.get("session_id"), None),
        _flag(given.get("every", False)),
        checked_quality(quality),
        _text(given.get("source", source), "source"),
        _instant(given["at"]) if "at" in given else None,
        weight,
    )


def _signal(given: Any) -> Signal:
    """A signal: {"kind": "thumb", "up": true}, in a cell as JSON; or the name of one that takes nothing."""
    if isinstance(given, str) and given.lstrip().startswith("{"):
        try:
            given = orjson.loads(given)
        except orjson.JSONDecodeError as error:
            raise FeedbackError(f"is not JSON: {error}", field="signal") from None
    fields = cast("dict[str, Any]", {"kind": given} if isinstance(given, str) else given)
    if not isinstance(fields, dict) or not isinstance(fields.get("kind"), str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise FeedbackError('expected an object such as {"kind": "thumb", "up": true}', field="signal")
    return signal_of(fields["kind"], **{name: value for name, value in fields.items() if name != "kind"})


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise FeedbackError(f"expected a text, got {value!r}", field=field)
    return str(value)


def _number(value: Any, field: str) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise FeedbackError(f"expected a number, got {value!r}", field=field)
    return number


def _flag(value: Any) -> bool:
    word = str(value).strip().lower()
    if word not in (*_TRUE, *_FALSE):
        raise FeedbackError(f"expected true or false, got {value!r}", field="every")
    return word in _TRUE


def _instant(value: Any) -> float:
    """Seconds since the epoch; a date and time without an offset is in UTC."""
    if isinstance(value, str):
        try:
            when = datetime.fromisoformat(value)
        except ValueError:
            return _number(value, "at")
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    return _number(value, "at")
