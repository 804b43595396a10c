"""A JSON line for every request, without keys and prompts, written beside the event loop and never waited for."""

from __future__ import annotations

import asyncio
import select
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

import orjson

from banditroute.errors import ConfigError
from banditroute.gateway.calls import Call

_EVERY_S = 0.2
_MOST_WAITING = 20_000
_PIECE = getattr(select, "PIPE_BUF", 512)  # bytes that a pipe takes at once


class Log(Protocol):
    """Takes note of what was answered."""

    def answered(self, call: Call, status: int, at: float, duration_s: float) -> None:
        """A call has been answered; `at` is the instant of its end, seconds since the epoch."""
        ...

    def defect(self, call: Call, error: BaseException) -> None:
        """A call failed of something that nobody foresaw."""
        ...

    def event(self, name: str, told: Mapping[str, Any]) -> None:
        """Something rare has happened."""
        ...

    async def aclose(self) -> None:
        """Writes what is still to be written."""
        ...


class LineLog:
    """Writes lines in the order in which they came, many at a time, in a thread.

    Args:
        write: writes; may take its time.
        every: whether each request has its line; defects and events always have.
        worker: the number of the process among several, which every line tells; None = there is but one.
    """

    def __init__(self, write: Callable[[bytes], object], *, every: bool, worker: int | None = None) -> None:
        self._write = write
        self._every = every
        self._also: dict[str, object] = {} if worker is None else {"worker": worker}
        self._lines: list[bytes] = []
        self._left_out = 0
        self._writing: asyncio.Task[None] | None = None

    def answered(self, call: Call, status: int, at: float, duration_s: float) -> None:
        """A line for the call, where every call has one."""
        if not self._every:
            return
        line: dict[str, object] = {
            "at": round(at, 3),
            "request_id": call.request_id,
            "method": call.request.method,
            "path": call.request.path,
            "status": status,
            "duration_ms": round(duration_s * 1e3, 3),
            "key": call.caller.name,
        }
        told = ("decision_id", "model", "task", "cost_usd", "failure")
        self._put(line | {name: value for name in told if (value := getattr(call, name)) not in ("", None)})

    def defect(self, call: Call, error: BaseException) -> None:
        """A line that says where it happened; what the error says stays out, for it may quote a prompt."""
        where = [f"{Path(each.filename).name}:{each.lineno}" for each in traceback.extract_tb(error.__traceback__)]
        self._put({"defect": type(error).__name__, "where": where[-4:], "request_id": call.request_id})

    def event(self, name: str, told: Mapping[str, Any]) -> None:
        """A line for something rare."""
        self._put({"at": round(time.time(), 3), "event": name, **told})

    async def aclose(self) -> None:
        """Writes what is still to be written."""
        while self._writing is not None and not self._writing.done():
            await self._writing
        if self._lines:
            await self._flush()

    def _put(self, line: dict[str, object]) -> None:
        if len(self._lines) >= _MOST_WAITING:  # a disk or a reader that is stuck must not fill the memory
            self._left_out += 1
            return
        self._lines.append(orjson.dumps(line | self._also, option=orjson.OPT_APPEND_NEWLINE))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._soon())

    async def _soon(self) -> None:
        while self._lines:
            await asyncio.sleep(_EVERY_S)
            await self._flush()

    async def _flush(self) -> None:
        lines, self._lines = self._lines, []
        if self._left_out:
            lines.append(orjson.dumps({"left_out": self._left_out}, option=orjson.OPT_APPEND_NEWLINE))
            self._left_out = 0
        await asyncio.to_thread(self._write, b"".join(lines))


def log_of(place: Path | Literal["stderr"] | None, worker: int | None = None) -> LineLog:
    """The log that a configuration asks for; defects go to standard error where it asks for none.

    Raises:
        ConfigError: the file cannot be written.
    """
    if place is None or place == "stderr":
        return LineLog(_to_stderr, every=place is not None, worker=worker)
    try:
        with place.open("ab"):
            pass
    except OSError as error:
        problem = f"{place} cannot be written: {(error.strerror or str(error)).lower()}"
        raise ConfigError(problem, remedy="choose another file", field="gateway.access_log") from None
    return LineLog(lambda data: _append(place, data), every=True, worker=worker)


def _to_stderr(data: bytes) -> None:
    for lines in _pieces(data):
        sys.stderr.buffer.write(lines)
        sys.stderr.buffer.flush()


def _pieces(data: bytes) -> Iterator[bytes]:
    """Whole lines, so many at once as a pipe takes without mixing them with other processes'."""
    begin = 0
    while begin < len(data):
        end = data.rfind(b"\n", begin, begin + _PIECE) + 1 or data.find(b"\n", begin) + 1 or len(data)
        yield data[begin:end]
        begin = end


def _append(place: Path, data: bytes) -> None:
    """Opened anew each time, so that a file that was moved away by a rotation is begun again."""
    try:
        with place.open("ab") as file:
            file.write(data)
    except OSError as error:
        _to_stderr(
            orjson.dumps({"access_log": str(place), "problem": error.strerror}, option=orjson.OPT_APPEND_NEWLINE)
        )
