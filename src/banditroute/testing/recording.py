"""Exchanges with providers in a file: recorded once, then found again by what is asked.

JSON lines: what the file is, then an exchange a line, its answer in the chunks in which it came. Keys and cookies are
not written, and of prompts, unless they are asked for, no more than how long their texts are and a hash of each.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import orjson

from banditroute.errors import InputError
from banditroute.testing.recorded_shapes import Shape, differences, shape_of

_VERSION = 1
_HEAD = "banditroute_recording"
_REDACTED = b"REDACTED"
_KEPT_HEADERS = ("content-type", "retry-after", "x-should-retry", "x-ratelimit-", "anthropic-ratelimit-", "x-cache")


class NotOnRecordError(AssertionError):
    """A request has no recorded answer.

    It is no BanditrouteError, so that neither the router nor the code under test takes it for a provider's failure.
    """


@dataclass(frozen=True, slots=True)
class RecordedReply:
    """What a provider answered.

    Attributes:
        status: HTTP status.
        headers: those that mean something to a caller, names in lower case.
        chunks: the body, decoded, as it came.
        seconds: from dispatch to its end.
    """

    status: int
    headers: Mapping[str, str]
    chunks: tuple[bytes, ...]
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer.

    Attributes:
        url: what was asked, without its query.
        shape: what the body says.
        reply: the answer.
        prompt: the body itself, where prompts are kept.
    """

    url: str
    shape: Shape
    reply: RecordedReply
    prompt: Any = None


class Recording:
    """Recorded exchanges; each answers once, and those that ask the same in the order in which they were recorded.

    Args:
        path: the file.
        keep_prompts: whether what is recorded is written with its prompts.

    Raises:
        InputError: the file is there and cannot be read.
    """

    def __init__(self, path: str | Path, *, keep_prompts: bool = False) -> None:
        self.path = Path(path)
        self._keep_prompts = keep_prompts
        self._exchanges = _read(self.path) if self.path.exists() else []
        self._used = [False] * len(self._exchanges)
        self._unsaved = False

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """All that is on record."""
        return tuple(self._exchanges)

    @property
    def unused(self) -> tuple[Exchange, ...]:
        """What nobody has asked for."""
        return tuple(each for each, used in zip(self._exchanges, self._used, strict=True) if not used)

    def begin_anew(self) -> None:
        """Forgets what is on record; the file stays as it is until `save`."""
        self._exchanges, self._used = [], []

    def answer(self, url: str, body: bytes) -> RecordedReply:
        """What was answered to a request.

        Raises:
            NotOnRecordError: nothing was, or this was asked as often as it was recorded; says what comes nearest.
        """
        shape, place = shape_of(_parsed(body)), _bare(url)
        alike = [index for index, each in enumerate(self._exchanges) if (each.url, each.shape) == (place, shape)]
        for index in alike:
            if not self._used[index]:
                self._used[index] = True
                return self._exchanges[index].reply
        raise NotOnRecordError(self._missing(place, shape, len(alike)))

    def add(self, url: str, headers: Mapping[str, str], body: bytes, reply: RecordedReply) -> RecordedReply:
        """Puts an exchange on record, without the request's keys; returns its reply as it will be replayed."""
        asked = _parsed(body)
        kept = _clean(reply, _secrets(headers))
        self._exchanges.append(Exchange(_bare(url), shape_of(asked), kept, asked if self._keep_prompts else None))
        self._used.append(True)
        self._unsaved = True
        return kept

    def save(self) -> None:
        """Writes the file, if anything was added; whoever reads it sees it whole."""
        if not self._unsaved:
            return
        lines = [{_HEAD: _VERSION}, *map(_row, self._exchanges)]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(f".{self.path.name}.new")
        beside.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
        beside.replace(self.path)
        self._unsaved = False

    def _missing(self, url: str, shape: Shape, times: int) -> str:
        problem = f"{self.path.name}: no answer is on record to POST {url}"
        if times:
            problem = f"{self.path.name}: POST {url} was recorded {times} x, and is asked once more"
        elif not self._exchanges:
            problem += ": the recording is empty"
        else:
            place, apart = min(
                ((index, self._apart(index, url, shape)) for index in range(len(self._exchanges))),
                key=lambda each: len(each[1]),
            )
            problem += f"; the nearest, exchange {place + 1}, differs in {'; '.join(apart[:4])}"
            problem += f" and {len(apart) - 4} more" if len(apart) > 4 else ""
        return f"{problem}. Record it anew if the change is meant (pytest --bandit-record=all)"

    def _apart(self, index: int, url: str, shape: Shape) -> list[str]:
        known = self._exchanges[index]
        place = [] if known.url == url else [f"the URL: recorded {known.url}, asked {url}"]
        return place + differences(known.shape, shape)


def _clean(reply: RecordedReply, secrets: Sequence[bytes]) -> RecordedReply:
    """The reply with few headers and none of the secrets, whichever chunks those lie across."""
    headers = {name.lower(): value for name, value in reply.headers.items() if name.lower().startswith(_KEPT_HEADERS)}
    whole = b"".join(reply.chunks)
    if not any(secret in whole for secret in secrets):
        return replace(reply, headers=headers)
    for secret in secrets:
        whole = whole.replace(secret, _REDACTED)
    return replace(reply, headers=headers, chunks=(whole,))


def _secrets(headers: Mapping[str, str]) -> list[bytes]:
    """What a request shows to be let in: whatever stands in a header that is named like one for keys."""
    found: list[bytes] = []
    for name, value in headers.items():
        if any(word in name.lower() for word in ("authorization", "key", "token", "cookie")):
            found.append(value.removeprefix("Bearer ").encode())
    return [secret for secret in found if len(secret) > 3]


def _bare(url: str) -> str:
    """Where it leads, without what may hold a secret: a password, or a query."""
    found = urlsplit(url)
    return urlunsplit((found.scheme, found.netloc.rpartition("@")[2], found.path, "", ""))


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode("utf-8", "replace")


def _row(exchange: Exchange) -> dict[str, Any]:
    reply = exchange.reply
    asked = {"url": exchange.url, "shape": dict(exchange.shape)}
    if exchange.prompt is not None:
        asked["body"] = exchange.prompt
    answered = {
        "status": reply.status,
        "seconds": round(reply.seconds, 3),
        "headers": dict(reply.headers),
        "chunks": [_written(chunk) for chunk in reply.chunks],
    }
    return {"asked": asked, "reply": answered}


def _written(chunk: bytes) -> str | dict[str, str]:
    """A chunk as text where it is one: it may end within a letter."""
    try:
        return chunk.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(chunk).decode()}


def _read(path: Path) -> list[Exchange]:
    rows: list[Any] = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            rows.append(orjson.loads(line))
        except orjson.JSONDecodeError:
            raise InputError("not JSON", path=str(path), line=number, remedy="record it anew") from None
    if not rows or rows[0].get(_HEAD) != _VERSION:
        problem = f"not a recording of version {_VERSION}"
        raise InputError(problem, path=str(path), line=1, remedy="record it anew")
    return [_exchange(row, path, number) for number, row in enumerate(rows[1:], 2)]


def _exchange(row: Any, path: Path, number: int) -> Exchange:
    try:
        asked, reply = row["asked"], row["reply"]
        chunks = tuple(_bytes(chunk) for chunk in reply["chunks"])
        kept = RecordedReply(reply["status"], reply["headers"], chunks, reply["seconds"])
        return Exchange(asked["url"], asked["shape"], kept, asked.get("body"))
    except (KeyError, TypeError, ValueError):
        raise InputError("not an exchange", path=str(path), line=number, remedy="record it anew") from None


def _bytes(chunk: str | Mapping[str, str]) -> bytes:
    return chunk.encode() if isinstance(chunk, str) else base64.b64decode(chunk["base64"])
