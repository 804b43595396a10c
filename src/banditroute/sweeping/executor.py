"""What does shares of work, wherever: the seam between sweeps and the machines that they run on.

How work is cut is up to who cuts it, never to who does it, and shares know nothing of each other: so what they come to
is the same, bit for bit, wherever they are done, and however often a share had to be done again.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

Ground = TypeVar("Ground")
Share = TypeVar("Share")
Done = TypeVar("Done")
_Ground = TypeVar("_Ground", contravariant=True)
_Share = TypeVar("_Share", contravariant=True)
_Done = TypeVar("_Done", covariant=True)
_Ended = TypeVar("_Ended")

Tick = Callable[[int], None]
"""Is told how much of a share was done since it was told last, in units of who cut the work."""


class Work(Protocol[_Ground, _Share, _Done]):
    """A module's own function, pure: all that it needs comes in, and all of it can be pickled."""

    def __call__(self, ground: _Ground, share: _Share, tick: Tick, /) -> _Done:
        """What a share comes to, on what all shares have in common."""
        ...


class Crew(Protocol[_Share, _Ended]):
    """Does shares of one piece of work, each on the same ground."""

    def submit(self, share: _Share) -> Future[_Ended]:
        """What the share will have come to; whoever cancels it has it left out where it is not begun."""
        ...

    def sweep(self, shares: Sequence[_Share], tick: Tick | None = None) -> Generator[tuple[int, _Ended]]:
        """What each share came to, with its place among them, as they end.

        Args:
            shares: what there is to do.
            tick: is told on the way, where the work is done in this process; elsewhere shares are all that ends.

        Raises:
            WorkersLostError: workers ended again and again before a share did.
        """
        ...


class Executor(Protocol):
    """Has work done."""

    def crew(self, work: Work[Ground, Share, Done], ground: Ground) -> AbstractContextManager[Crew[Share, Done]]:
        """Who does the shares of one piece of work; what is not done by the end of the `with` is left.

        Args:
            work: does one share.
            ground: what all shares have in common; sent to each worker once.

        Raises:
            InputError: nobody is there to do it, or the work cannot be sent to them.
            MissingExtraError: what reaches them is not installed.
        """
        ...


def in_order(ended: Iterable[tuple[int, Done]]) -> list[Done]:
    """What shares came to, in the order in which they were cut."""
    return [done for _, done in sorted(ended, key=lambda each: each[0])]


def silent(done: int, /) -> None:
    """A tick that nobody hears."""
