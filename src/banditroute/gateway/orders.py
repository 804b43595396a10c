"""What the process that serves is told: to reload, to end, to end without waiting."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import Protocol


class Orders(Protocol):
    """What it was told so far; entered while somebody listens.

    Attributes:
        ended: it was told to end; changed: to reload.
        give_up: is called where it is told not to wait for what is in work.
    """

    ended: asyncio.Event
    changed: asyncio.Event
    give_up: Callable[[], None]

    def __enter__(self) -> Orders: ...

    def __exit__(self, *_: object) -> None: ...


class Signals:
    """Orders by signals; asyncio's own handlers are back afterwards. Told to end twice, it does not wait.

    Attributes:
        ended: it was told to end; changed: to reload.
        give_up: is called where it is told to end twice.
    """

    def __init__(self) -> None:
        self.ended, self.changed = asyncio.Event(), asyncio.Event()
        self.give_up: Callable[[], None] = _nothing
        self._loop = asyncio.get_running_loop()
        self._handlers: dict[int, Callable[[], None]] = {signal.SIGTERM: self._end, signal.SIGINT: self._end}
        if hasattr(signal, "SIGHUP"):
            self._handlers[signal.SIGHUP] = self.changed.set

    def __enter__(self) -> Signals:
        for number, handler in self._handlers.items():
            self._loop.add_signal_handler(number, handler)
        return self

    def __exit__(self, *_: object) -> None:
        for number in self._handlers:
            self._loop.remove_signal_handler(number)

    def _end(self) -> None:
        if self.ended.is_set():
            self.give_up()
        self.ended.set()


def _nothing() -> None:
    """Nothing is in work yet."""
