"""A streamed answer for code that does not await."""

from __future__ import annotations

from collections.abc import Iterator

from banditroute.background import LoopThread
from banditroute.errors import BanditrouteError
from banditroute.records import Answer, Decision, Delta
from banditroute.routed_stream import RoutedStream

_AT_ONCE = 64  # pieces that are there already and change threads together


class SyncStream:
    """An answer as it is written: iterate it; `with` it as well where the loop may be left early.

    One thread at a time may use it.
    """

    def __init__(self, stream: RoutedStream, thread: LoopThread) -> None:
        self._stream = stream
        self._thread = thread
        self._entered = False
        self._there: list[Delta] = []  # pieces that came along
        self._failure: BanditrouteError | None = None  # what ended it behind them

    @property
    def decision(self) -> Decision:
        """Why the model that is asked first was chosen; known once entered."""
        return self._stream.decision

    @property
    def decision_id(self) -> str:
        """Names the decision in feedback; known once entered."""
        return self._stream.decision_id

    @property
    def model(self) -> str | None:
        """The model that is answering; None until its first content is there."""
        return self._stream.model

    @property
    def ready(self) -> bool:
        """Whether another piece is there already, so that the next step does not wait."""
        return bool(self._there) or self._stream.ready

    @property
    def ttft_s(self) -> float | None:
        """Seconds that the model took to its first content; None until it is there."""
        return self._stream.ttft_s

    @property
    def answer(self) -> Answer:
        """The whole answer, recorded; known once the iteration has ended.

        Raises:
            BanditrouteError: the stream is not at its end.
        """
        return self._stream.answer

    def __enter__(self) -> SyncStream:
        self._thread.wait_for(self._stream.__aenter__())
        self._entered = True
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Delta]:
        """Its pieces; where it was not entered it is, and closed where the loop ends."""
        if self._entered:
            yield from iter(self._next, None)
            return
        with self:
            yield from iter(self._next, None)

    def close(self) -> None:
        """Hangs up, if the answer is not whole: the call is cancelled and charged by what had arrived."""
        self._thread.wait_for(self._stream.aclose())

    def _next(self) -> Delta | None:
        """The next piece; None at the end."""
        if not self._there and self._failure is None:
            self._there = self._thread.wait_for(self._pieces())
            self._there.reverse()
        if self._there:
            return self._there.pop()
        if self._failure is not None:
            raise self._failure
        return None

    async def _pieces(self) -> list[Delta]:
        """The next piece and those that are there behind it; none at the end. An error waits behind them."""
        pieces: list[Delta] = []
        try:
            while not pieces or (self._stream.ready and len(pieces) < _AT_ONCE):
                pieces.append(await anext(self._stream))
        except StopAsyncIteration:
            pass
        except BanditrouteError as error:
            self._failure = error
        return pieces
