"""Processes that share work, and end in silence when the user interrupts them."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

_Part = TypeVar("_Part")
_Done = TypeVar("_Done")


def shared_out(
    parts: Sequence[_Part], work: Callable[[_Part], _Done], processes: int, prepare: Callable[..., None], *given: object
) -> Generator[_Done]:
    """What work makes of each part, in the order of the parts; close it where not all of them are taken.

    Args:
        parts: what there is to do.
        work: does one part, in one of the processes.
        processes: how many there are at the most.
        prepare: called once in each of them, before its first part.
        given: what `prepare` is called with.
    """
    context = multiprocessing.get_context("spawn")
    others = multiprocessing.active_children()
    initial = (prepare, *given)
    with ProcessPoolExecutor(min(processes, len(parts)), context, initializer=_begin, initargs=initial) as pool:
        try:
            with _interrupts_held():
                futures = [pool.submit(work, part) for part in parts]
            for future in futures:
                yield future.result()
        except (KeyboardInterrupt, GeneratorExit):
            for process in multiprocessing.active_children():
                if process not in others:
                    process.terminate()  # else it would finish its part first
            raise


@contextmanager
def _interrupts_held() -> Generator[None]:
    """Interrupts wait, here and in processes that are started meanwhile, until these say what to do with them.

    A terminal interrupts all processes at once, and one that still imports would print a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(prepare: Callable[..., None], *given: object) -> None:
    """Leaves interrupts to the process that started this one, which ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    prepare(*given)
