"""Classifying one prompt, or a file of them, for somebody who looks on."""

import gzip
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import orjson
from pydantic import TypeAdapter, ValidationError

from banditroute.config import load_config
from banditroute.errors import InputError
from banditroute.prompting import prompting_of
from banditroute.prompts.shipped import shipped
from banditroute.records import ChatRequest
from banditroute.routing.tasks import Task, TaskClassifier

_ENDINGS = (".jsonl", ".jsonl.gz", ".ndjson")
_STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class _Line:
    """A prompt of a file; what else stands there is passed over."""

    id: str | int
    text: str


_LINE = TypeAdapter(_Line)


def run(what: str, config: Path | None, *, json: bool) -> None:
    """Prints the class of a prompt, or a line of JSON for each prompt of a file.

    Raises:
        InputError: a file is not there, or a line of it is none; or the configuration cannot be used.
    """
    classifier = shipped().classifier if config is None else prompting_of(load_config(config)).classifier
    if what == _STANDARD_INPUT:
        _print_all(classifier, sys.stdin.buffer, "standard input")
    elif what.lower().endswith(_ENDINGS) or _is_file(what):
        with _opened(Path(what)) as lines:
            _print_all(classifier, lines, what)
    else:
        _print_one(_task(classifier, what), json=json)


def _print_one(task: Task, *, json: bool) -> None:
    if json:
        sys.stdout.write(orjson.dumps(_fields(task), option=orjson.OPT_APPEND_NEWLINE).decode())
        return
    unsure = f"; likeliest: {task.likeliest}" if task.likeliest else ""
    sys.stdout.write(f"{task.name} ({task.probability:.0%}{unsure})\n")


def _print_all(classifier: TaskClassifier, lines: IO[bytes], name: str) -> None:
    for number, line in enumerate(_lines(lines, name), start=1):
        if line.strip():
            read = _read(line, name, number)
            fields = {"id": read.id, **_fields(_task(classifier, read.text))}
            sys.stdout.write(orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE).decode())


def _fields(task: Task) -> dict[str, str | float]:
    """The class and its probability; where it is general, what it most likely is."""
    fields: dict[str, str | float] = {"task": task.name, "probability": round(task.probability, 4)}
    return {**fields, "likeliest": task.likeliest} if task.likeliest else fields


def _task(classifier: TaskClassifier, text: str) -> Task:
    return classifier.classify(ChatRequest(({"role": "user", "content": text},)))


def _read(line: bytes, name: str, number: int) -> _Line:
    try:
        return _LINE.validate_json(line, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"])) or None
        remedy = 'write {"id": ..., "text": ...} on each line'
        raise InputError(first["msg"].lower(), remedy=remedy, path=name, line=number, field=field) from None


def _lines(lines: IO[bytes], name: str) -> Iterator[bytes]:
    try:
        yield from lines
    except (OSError, EOFError) as error:
        raise InputError(f"cannot be read: {error}", remedy="check the file", path=name) from None


def _opened(path: Path) -> IO[bytes]:
    try:
        return cast("IO[bytes]", gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", remedy="check the path", path=str(path)) from None


def _is_file(what: str) -> bool:
    """Whether a file is called so; a prompt may be too long for a name, or have signs that no name has."""
    try:
        return Path(what).is_file()
    except (OSError, ValueError):
        return False
