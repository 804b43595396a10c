"""The clock that time limits go by."""

from __future__ import annotations

import time


def loop_time() -> float:
    """The instant on the event loop's clock, in seconds; uvloop's own stands still between two of its turns."""
    return time.monotonic()
