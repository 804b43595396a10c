"""How the workers of one gateway ask each other: one question and one answer a connection, on Unix sockets.

The sockets are in a folder that only the gateway's user may look into, so whoever asks is one of them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from banditroute.errors import BanditrouteError

_PATIENCE_S = 2.0
_LONGEST_QUESTION = 65_536  # bytes

Answer = Callable[[str], Awaitable[bytes]]
"""Answers a question of its kind; is given what stands behind the kind."""


class Siblings:
    """The other workers.

    Args:
        folder: where the sockets are; None = there are no others.
        number: this worker's, from 1; count: of how many.
    """

    def __init__(self, folder: Path | None = None, number: int = 1, count: int = 1) -> None:
        self._folder = folder
        self._number = number
        self._others = [each for each in range(1, count + 1) if each != number]

    async def ask(self, kind: str, of: str = "") -> list[bytes]:
        """What each answers, by their numbers; who does not within seconds is left out.

        Args:
            kind: of question.
            of: what is asked.
        """
        if not self._others:
            return []
        answers = await asyncio.gather(*(self._ask(each, f"{kind} {of}\n".encode()) for each in self._others))
        return [answer for answer in answers if answer is not None]

    @asynccontextmanager
    async def answering(self, answers: Mapping[str, Answer]) -> AsyncGenerator[None]:
        """Inside it, questions of the others are answered, by their kind."""
        if self._folder is None:
            yield
            return
        place = self._place(self._number)
        place.unlink(missing_ok=True)  # of who was this worker before
        server = await asyncio.start_unix_server(_answering(answers), place, limit=_LONGEST_QUESTION)
        try:
            yield
        finally:
            server.close()

    def _place(self, number: int) -> Path:
        assert self._folder is not None, "asked for where there are others"
        return self._folder / f"{number}"

    async def _ask(self, number: int, question: bytes) -> bytes | None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                reader, writer = await asyncio.open_unix_connection(self._place(number))
                try:
                    writer.write(question)
                    answer = await reader.read()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return None
        return answer.removeprefix(_WHOLE) if answer.startswith(_WHOLE) else None


_Server = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_WHOLE = b"\x01"
"""Stands before an answer; an end without it is no answer."""


def _answering(answers: Mapping[str, Answer]) -> _Server:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            kind, _, of = (await reader.readline()).decode().rstrip("\n").partition(" ")
            if kind in answers:
                with contextlib.suppress(BanditrouteError):  # who asked is not told why, but that there is no answer
                    writer.write(_WHOLE + await answers[kind](of))
                    await writer.drain()
        except (OSError, ValueError):  # who asked is gone
            return
        finally:
            writer.close()

    return answer
