"""What a grader is: an answer goes in, a quality in [0, 1] or nothing comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from banditroute.records import ChatRequest, Completion


@dataclass(frozen=True, slots=True)
class Item:
    """An answer to be graded.

    Attributes:
        decision_id: the decision that it came of.
        task: the request's task class.
        request: what was asked.
        completion: what was answered.
        expected: the right answer, where the caller knows one.
    """

    decision_id: str
    task: str
    request: ChatRequest
    completion: Completion
    expected: str | None = None


class Grader(Protocol):
    """Grades at once, from the answer alone: no I/O, bounded time."""

    @property
    def name(self) -> str:
        """The source of its grades."""
        ...

    def grade(self, item: Item) -> float | None:
        """The quality in [0, 1]; None where the grader has nothing to say of such an answer.

        Raises:
            UngradableError: it should have, but cannot.
        """
        ...


class SlowGrader(Protocol):
    """Grades by asking somebody else, which takes time and money."""

    @property
    def name(self) -> str:
        """The source of its grades."""
        ...

    def wants(self, item: Item) -> bool:
        """Whether the answer is one to be graded; quick, for it is asked of every one."""
        ...

    async def grade(self, item: Item) -> float | None:
        """The quality in [0, 1]; None where there is nothing to say of such an answer.

        Raises:
            UngradableError: no quality could be had.
        """
        ...

    async def aclose(self) -> None:
        """Gives up what is being graded; a second call does nothing."""
        ...
