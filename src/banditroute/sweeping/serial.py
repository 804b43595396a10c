"""Work that is done in this process, one share after the other."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Generic

from .executor import Crew, Done, Ground, Share, Tick, Work, silent


@dataclass(frozen=True, slots=True)
class Serial:
    """An executor that starts nothing."""

    def crew(self, work: Work[Ground, Share, Done], ground: Ground) -> AbstractContextManager[Crew[Share, Done]]:
        """This process alone."""
        return nullcontext(_Here(work, ground))


@dataclass(frozen=True, slots=True)
class _Here(Generic[Ground, Share, Done]):
    work: Work[Ground, Share, Done]
    ground: Ground

    def submit(self, share: Share) -> Future[Done]:
        """What the share came to: it is done before this returns, or raises what the share does."""
        future: Future[Done] = Future()
        future.set_result(self.work(self.ground, share, silent))
        return future

    def sweep(self, shares: Sequence[Share], tick: Tick | None = None) -> Generator[tuple[int, Done]]:
        """One after the other, each when it is asked for."""
        for index, share in enumerate(shares):
            yield index, self.work(self.ground, share, tick or silent)
