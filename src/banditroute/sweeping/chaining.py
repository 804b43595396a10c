"""Futures that end when others do, and sweeps over them."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import Future, as_completed
from typing import Any

from .executor import Done


def as_they_end(futures: Sequence[Future[Done]]) -> Generator[tuple[int, Done]]:
    """What each came to, with its place, as they end; those that are left when this is closed are cancelled."""
    place = {future: index for index, future in enumerate(futures)}
    try:
        for future in as_completed(place):
            yield place[future], future.result()
    finally:
        for future in futures:
            future.cancel()


def settle(outer: Future[Any], result: object, error: BaseException | None) -> None:
    """Ends a future that somebody waits for, unless it was cancelled meanwhile."""
    if not outer.set_running_or_notify_cancel():
        return
    if error is None:
        outer.set_result(result)
    else:
        outer.set_exception(error)
