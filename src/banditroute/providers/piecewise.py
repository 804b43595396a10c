"""Bytes of a stream as pieces of an answer, in the order of the stream: an error comes behind the pieces before it."""

from __future__ import annotations

from collections.abc import Callable

from banditroute.errors import ProviderError
from banditroute.providers.sse import EventParser, ServerSentEvent
from banditroute.records import Delta

ReadEvent = Callable[[ServerSentEvent, list[Delta]], None]
"""Reads an event and adds its pieces; raises ProviderError where it is an error."""


class Piecewise:
    """The part of a stream's reader that is the same whatever the protocol.

    Attributes:
        failure: the error that ended the stream; None = there has been none.
    """

    __slots__ = ("_parser", "failure")

    def __init__(self) -> None:
        self._parser = EventParser()
        self.failure: ProviderError | None = None

    def feed(self, data: bytes, read: ReadEvent) -> list[Delta]:
        """The pieces that became whole with these bytes; an error that comes behind some is raised by the next call.

        Raises:
            ProviderError: the stream carries an error, or is not what the protocol says.
        """
        deltas: list[Delta] = []
        if self.failure is None:
            try:
                for event in self._parser.feed(data):
                    read(event, deltas)
            except ProviderError as failure:
                self.failure = failure
        if not deltas:
            self.check()
        return deltas

    def check(self) -> None:
        """Returns if there has been no error.

        Raises:
            ProviderError: there has.
        """
        if self.failure is not None:
            raise self.failure

    def rest(self) -> bytes:
        """What has come since the last whole event: at the end of a stream no event, but perhaps a clue."""
        return self._parser.rest()
