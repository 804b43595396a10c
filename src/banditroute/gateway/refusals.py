"""A request that is not answered: what its caller is told, in whatever words the caller's protocol has for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from banditroute.errors import BanditrouteError


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not answered.

    Attributes:
        status: HTTP status.
        problem: what is wrong and what to do, for the caller; holds neither keys nor prompts.
        code: one word for it, which stays the same.
        field: the field of the request that is wrong, where it is one.
        retry_after_s: seconds after which asking again may help, where that is known.
        final: asking again changes nothing for a long time, whatever the status says.
        decision_id: the decision that could not be served, where one was made.
    """

    status: int
    problem: str
    code: str
    field: str | None = None
    retry_after_s: float | None = None
    final: bool = False
    decision_id: str | None = None

    def in_words(self, fields: Mapping[str, str]) -> Refusal:
        """The same to a caller who calls fields otherwise: their names by those of the library."""
        theirs = None if self.field is None else fields.get(self.field)
        if theirs is None:
            return self
        beginning = f"{self.field}: "
        named = self.problem.startswith(beginning)
        problem = f"{theirs}: {self.problem.removeprefix(beginning)}" if named else self.problem
        return replace(self, field=theirs, problem=problem)


DEFECT = Refusal(500, "the gateway failed; its log says more", "internal_error")
"""For what nobody foresaw; whoever answers it has the log say more."""


class RefusedError(BanditrouteError):
    """The gateway itself refuses a request."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.problem)
        self.refusal = refusal


def refused(status: int, problem: str, code: str, *, field: str | None = None) -> RefusedError:
    """The error for a request that the gateway refuses."""
    return RefusedError(Refusal(status, problem, code, field))


def later(problem: str, code: str, retry_after_s: float) -> RefusedError:
    """The error for a request that comes at a bad time."""
    return RefusedError(Refusal(429, problem, code, retry_after_s=retry_after_s))
