"""Work for trying executors out: it counts, waits, fails, or kills who does it; for `banditroute.sweeping`.

It stands in a module of the package because processes and clusters have to import what they are to do.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from banditroute.errors import InputError, MissingExtraError
from banditroute.sweeping.executor import Tick


def plus(ground: int, share: int, tick: Tick) -> tuple[int, int]:
    """The sum, and the process that made it; half of it is told on the way."""
    tick(share // 2)
    return ground + share, os.getpid()


def refused(ground: str, share: str, tick: Tick) -> str:
    """Raises what users are told of, for shares of these names.

    Raises:
        InputError: with all its parts.
        MissingExtraError: likewise.
    """
    del tick
    if share == "input":
        raise InputError("is wrong", remedy="mend it", path=ground, line=7, field="cost_usd")
    if share == "extra":
        raise MissingExtraError("a test", "plots")
    return share


def killed_once(marker: Path, share: int, tick: Tick) -> int:
    """The share's square; the first process that comes to the third share is killed in the middle of it."""
    del tick
    if share == 3 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return share * share


def always_killed(ground: None, share: int, tick: Tick) -> int:
    """Kills who does it."""
    del ground, tick
    os.kill(os.getpid(), signal.SIGKILL)
    return share


def waited(marker: Path, share: float, tick: Tick) -> float:
    """Waits so many seconds; the marker says that it has begun."""
    del tick
    marker.touch()
    time.sleep(share)
    return share
