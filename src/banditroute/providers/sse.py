"""Server-sent events out of bytes, however the bytes are cut (WHATWG HTML, section 9.2.6)."""

from __future__ import annotations

from typing import NamedTuple

from banditroute.errors import BrokenReplyError

MAX_FRAME_BYTES = 16 * 1024 * 1024

_BOM = b"\xef\xbb\xbf"
_UNNAMED = "message"


class ServerSentEvent(NamedTuple):
    """One event of a stream.

    Attributes:
        event: its name; "message" where the stream gives none, as the specification has it.
        data: its data lines joined by newlines, not decoded.
    """

    event: str
    data: bytes


class EventParser:
    r"""Cuts a stream into events; newlines may be \n, \r\n or \r, and any of them may fall between two reads."""

    __slots__ = ("_after_cr", "_buffer", "_fresh", "_max_frame_bytes")

    def __init__(self, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        self._max_frame_bytes = max_frame_bytes
        self._buffer = bytearray()  # what follows the last blank line, newlines already \n
        self._after_cr = False
        self._fresh = True

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """The events that became whole with these bytes; a comment or an event without data is none.

        Raises:
            BrokenReplyError: a frame is longer than the limit.
        """
        if self._after_cr or b"\r" in data:
            data = self._with_newlines(data)
        buffer = self._buffer
        searched = max(len(buffer) - 1, 0)
        buffer += data
        end = buffer.rfind(b"\n\n", searched)
        if end < 0:
            self._check_size(len(buffer))
            return []
        whole = bytes(buffer[:end])
        del buffer[: end + 2]
        self._check_size(len(buffer))
        return self._events(whole)

    def rest(self) -> bytes:
        """What has come since the last blank line: at the end of a stream no event, but perhaps a clue."""
        rest = bytes(self._buffer).lstrip(b"\n")
        return rest.removeprefix(_BOM) if self._fresh else rest

    def _with_newlines(self, data: bytes) -> bytes:
        # A \r ends its line at once; the \n that may follow in the next read then belongs to it.
        if self._after_cr and data:
            data = data.removeprefix(b"\n")
            self._after_cr = False
        self._after_cr = self._after_cr or data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _events(self, whole: bytes) -> list[ServerSentEvent]:
        if self._fresh:
            self._fresh = False
            whole = whole.removeprefix(_BOM)
        events: list[ServerSentEvent] = []
        for frame in whole.split(b"\n\n"):
            self._check_size(len(frame))
            event = _event(frame)
            if event is not None:
                events.append(event)
        return events

    def _check_size(self, size: int) -> None:
        if size > self._max_frame_bytes:
            raise BrokenReplyError(f"a frame of the stream is longer than {self._max_frame_bytes} bytes")


def _event(frame: bytes) -> ServerSentEvent | None:
    if frame.startswith(b"data: ") and b"\n" not in frame:  # nearly every frame of nearly every provider
        return ServerSentEvent(_UNNAMED, frame[6:])
    name = b""
    data: list[bytes] = []
    for line in frame.split(b"\n"):
        field, _, value = line.partition(b":")  # a comment's field is empty
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ")
    if not data:
        return None
    return ServerSentEvent(name.decode("utf-8", "replace") or _UNNAMED, b"\n".join(data))
