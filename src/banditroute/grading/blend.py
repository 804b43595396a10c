"""Several graders as one: the weighted mean of what they say."""

from __future__ import annotations

from dataclasses import dataclass

from banditroute.errors import UngradableError
from banditroute.grading.protocol import Grader, Item


@dataclass(frozen=True, slots=True)
class Blend:
    """The weighted mean of several graders' grades.

    One that has nothing to say, or cannot tell, is left out and the others' weights stand alone.

    Attributes:
        name: the source of its grades.
        parts: the graders and their weights, above 0.
    """

    name: str
    parts: tuple[tuple[Grader, float], ...]

    def grade(self, item: Item) -> float | None:
        """From 0 to 1; None where none of them has anything to say.

        Raises:
            UngradableError: none has, and one of them cannot tell.
        """
        total = weight = 0.0
        problem: UngradableError | None = None
        for grader, part in self.parts:
            try:
                quality = grader.grade(item)
            except UngradableError as error:
                problem = error
                continue
            if quality is not None:
                total, weight = total + part * quality, weight + part
        if weight:
            return total / weight
        if problem is not None:
            raise problem
        return None
