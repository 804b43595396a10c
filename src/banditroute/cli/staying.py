"""Imports at the start of a process that is to be up soon, and that keeps them until its end."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager

_MOST_YOUNG = 5_000  # with more of them a start is faster still, for a megabyte of garbage that is never found


@contextmanager
def made_to_stay() -> Generator[None]:
    """Inside it, garbage is looked for more rarely; what is there at its end is never looked through again.

    A thousand modules come in, and what is looked through for them is most of what there is: a twelfth of a start.
    """
    thresholds = gc.get_threshold()
    gc.set_threshold(_MOST_YOUNG, *thresholds[1:])
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(*thresholds)
