"""The record of what a benchmark has paid for: a call counts once its line is on disk, and is never paid again."""

from __future__ import annotations

import asyncio
import math
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from banditroute.benching.calls import CallKey, FinishedCall
from banditroute.benching.fingerprints import Fingerprints
from banditroute.benching.journal_lines import (
    BegunLine,
    CallLine,
    JudgedLine,
    LeftLine,
    Line,
    ModelLine,
    begins_line,
    head,
    read,
    written,
)
from banditroute.benching.journal_reading import changed_models, check, kept_of
from banditroute.errors import InputError

_AGAIN = "put that right, and run the same again to go on"


class Journal:
    """A file of JSON lines that only grows; one process at a time, one event loop.

    Attributes:
        kept: what it held when it was opened.
    """

    def __init__(self, path: Path, prints: Fingerprints, *, retry_failed: bool = False) -> None:
        """Opens the file, or begins it.

        Args:
            path: where it is.
            prints: what calls depend on now.
            retry_failed: calls that failed are to be made again; what they cost stays on record.

        Raises:
            InputError: it cannot be opened, another process has it open, a line is none, or what its calls depend on
                has changed since.
        """
        self._path = path
        self._prints = prints
        self._descriptor = _opened(path)
        self._written = self._durable = 0
        self._syncing: asyncio.Task[None] | None = None
        try:
            _lock(self._descriptor, path)
            lines = self._lines()
            check(lines, prints, path)
            mended = changed_models(lines, prints.models)  # they never answered: what failed, say a name, is put right
            self.kept = kept_of(lines, mended, retry_failed=retry_failed)
            self._headed = bool(lines)
            self._models = {line.model for line in lines if isinstance(line, ModelLine)} - mended
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._headed:
            self._path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def begun(self, key: CallKey, most_usd: float) -> None:
        """Takes note of a call that is about to be made, at most for so much; survives the end of this process."""
        self._introduce(key.model)
        self._write(BegunLine(**key._asdict(), most_usd=most_usd if math.isfinite(most_usd) else None))

    def left(self, key: CallKey, spent_usd: float) -> None:
        """Takes note of a call that is left for another time."""
        self._write(LeftLine(**key._asdict(), spent_usd=spent_usd))

    def judged(self, spent_usd: float) -> None:
        """Takes note of what a judge cost."""
        self._write(JudgedLine(spent_usd=spent_usd))

    async def finished(self, call: FinishedCall) -> None:
        """Returns once the call is on disk for good."""
        self._write(CallLine.of(call))
        mine = self._written
        while self._durable < mine:
            if self._syncing is None:
                self._syncing = asyncio.create_task(self._sync())
            await asyncio.shield(self._syncing)

    async def settled(self) -> None:
        """Returns once nothing is being written any more: before that the file must not be closed."""
        if self._syncing is not None:
            await asyncio.shield(self._syncing)

    def _introduce(self, model: str) -> None:
        """Writes what the calls of a model depend on, before the first of them: a run that makes none binds nobody."""
        if not self._headed:
            self._headed = True
            self._write(head(self._prints))
        if model not in self._models:
            self._models.add(model)
            self._write(ModelLine(model=model, fingerprint=self._prints.models[model]))

    async def _sync(self) -> None:
        """Brings all that is written to disk: one wait for however many have written."""
        upto = self._written
        try:
            await asyncio.to_thread(os.fsync, self._descriptor)
            self._durable = upto
        except OSError as error:
            raise _unwritable(self._path, error, _AGAIN) from error
        finally:
            self._syncing = None

    def _write(self, line: Line) -> None:
        data, done = written(line), 0
        try:
            while done < len(data):
                done += os.write(self._descriptor, data[done:])
        except OSError as error:
            # Half a line is taken back: whatever was written behind it could not be read any more.
            os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - done)
            raise _unwritable(self._path, error, _AGAIN) from error
        self._written += 1

    def _lines(self) -> list[Line]:
        """What the file says; a last line that was cut off, which nobody was told of, is taken away."""
        data = self._path.read_bytes()
        *whole, rest = data.split(b"\n")
        lines = [self._line(line, number) for number, line in enumerate(whole, start=1)]
        if rest and not lines and not begins_line(rest):
            raise self._no_line(1)  # a file of somebody else's
        if rest:
            os.ftruncate(self._descriptor, len(data) - len(rest))
        return lines

    def _line(self, line: bytes, number: int) -> Line:
        try:
            return read(line)
        except ValidationError:
            raise self._no_line(number) from None

    def _no_line(self, number: int) -> InputError:
        problem = "is no line of a benchmark's journal"
        return InputError(problem, remedy="name another --out", path=str(self._path), line=number)


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise _unwritable(path, error, "choose another --out") from error


def _unwritable(path: Path, error: OSError, remedy: str) -> InputError:
    reason = (error.strerror or str(error)).lower()
    return InputError(f"cannot be written: {reason}", remedy=remedy, path=str(path))


def _lock(descriptor: int, path: Path) -> None:
    """Keeps other processes out; where the system has no such locks, nobody does."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        remedy = "wait until it is done, or choose another --out"
        raise InputError("another benchmark is writing it", remedy=remedy, path=str(path)) from None
