"""Work that is done by processes of this machine, which end in silence when the user interrupts them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic

from banditroute.errors import WorkersLostError

from .chaining import as_they_end, settle
from .executor import Done, Ground, Share, Tick, Work, silent
from .packing import Unpacked, packed, unpacked

_MOST_REDONE = 3
_BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Processes:
    """An executor of processes that are started as shares need them; each computes in one thread.

    Attributes:
        jobs: how many at the most.
    """

    jobs: int

    @contextmanager
    def crew(self, work: Work[Ground, Share, Done], ground: Ground) -> Generator[ProcessCrew[Ground, Share, Done]]:
        """Processes that know the work, until the end of the `with`.

        Raises:
            InputError: the work cannot be sent to them.
        """
        crew = ProcessCrew(Unpacked(work, ground), self.jobs)
        try:
            yield crew
        finally:
            crew.close()


class ProcessCrew(Generic[Ground, Share, Done]):
    """Processes that know one piece of work; where one is killed, the shares that were lost are done again.

    A pool that loses a process is broken as a whole: a new one takes its place, and all its shares over.

    Args:
        work: what they know.
        jobs: processes.
    """

    def __init__(self, work: Unpacked[Ground, Share, Done], jobs: int) -> None:
        self._work, self._payload, self._jobs = work, packed(work), jobs
        self._context = multiprocessing.get_context("spawn")
        self._others = frozenset(multiprocessing.active_children())
        self._changing = threading.Lock()
        self._pool = self._fresh()
        self._waited_for: set[Future[Done]] = set()
        self._under_way: set[Future[Any]] = set()  # in the pool; not the same while a share is begun, or was cancelled
        self._closed = False

    def submit(self, share: Share) -> Future[Done]:
        """What the share will have come to, in one of the processes."""
        outer: Future[Done] = Future()
        self._waited_for.add(outer)
        outer.add_done_callback(self._waited_for.discard)
        self._begin(outer, packed(share), _MOST_REDONE)
        return outer

    def sweep(self, shares: Sequence[Share], tick: Tick | None = None) -> Generator[tuple[int, Done]]:
        """What each share came to, as they end; one alone is done here, sooner than a process could be started."""
        if len(shares) == 1:
            yield 0, self._work.work(self._work.ground, shares[0], tick or silent)
        else:
            yield from as_they_end([self.submit(share) for share in shares])

    def close(self) -> None:
        """Ends the processes: at once where something is still being done, which nobody waits for any more."""
        with self._changing:
            self._closed = True
        busy = [inner for inner in tuple(self._under_way) if not inner.cancel()]
        if busy or self._waited_for:
            for process in multiprocessing.active_children():
                if process not in self._others:
                    process.terminate()  # else it would finish its share first
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _fresh(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self._jobs, self._context, initializer=_enter, initargs=(self._payload,))

    def _begin(self, outer: Future[Done], share: bytes, redone: int) -> None:
        """Has a share begun in the pool of the day."""
        pool = self._pool
        try:
            with _starting():
                inner: Future[Any] = pool.submit(_done, share)
        except RuntimeError:  # the pool broke, or was shut down, before it was asked
            self._lost(outer, share, redone, pool)
            return
        self._under_way.add(inner)
        inner.add_done_callback(self._under_way.discard)
        inner.add_done_callback(lambda ended: self._ended(outer, share, redone, pool, ended))
        outer.add_done_callback(lambda _: inner.cancel())

    def _ended(
        self, outer: Future[Done], share: bytes, redone: int, pool: ProcessPoolExecutor, inner: Future[Any]
    ) -> None:
        if inner.cancelled():
            outer.cancel()
        elif isinstance(error := inner.exception(), BrokenProcessPool):
            self._lost(outer, share, redone, pool)
        else:
            settle(outer, None if error else inner.result(), error)

    def _lost(self, outer: Future[Done], share: bytes, redone: int, broken: ProcessPoolExecutor) -> None:
        """Does a share again whose pool broke, a few times, unless nobody waits for it any more."""
        if self._closed or outer.cancelled():
            outer.cancel()
        elif not redone:
            settle(outer, None, WorkersLostError(f"{_MOST_REDONE + 1} processes that did it were killed"))
        else:
            self._replace(broken)
            self._begin(outer, share, redone - 1)

    def _replace(self, broken: ProcessPoolExecutor) -> None:
        """Puts a new pool in the broken one's place; the first of its shares to come has it done."""
        with self._changing:
            if self._pool is broken and not self._closed:
                self._pool = self._fresh()


@contextmanager
def _starting() -> Generator[None]:
    """What holds while processes are started: they inherit it.

    Interrupts wait, here and there, until a process says what to do with them: a terminal interrupts all at once, and
    one that still imports would print a traceback. And their linear algebra is to take one thread each.
    """
    ours = [name for name in _BLAS_THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(ours, "1"))
    try:
        with _interrupts_held():
            yield
    finally:
        for name in ours:
            os.environ.pop(name, None)


@contextmanager
def _interrupts_held() -> Generator[None]:
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_payload: list[bytes] = []
_known: list[Unpacked[Any, Any, Any]] = []  # a process's own copy


def _enter(payload: bytes) -> None:
    """Leaves interrupts to the process that started this one, which ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    _payload[:] = [payload]


def _done(share: bytes) -> object:
    if not _known:  # not before the first share, which can tell what is wrong with it
        _known.append(unpacked(_payload.pop()))
    return _known[0].done(share)
