"""Asks one model until it answers or there is no point in going on: waits where it has to, and never asks another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import NamedTuple

from banditroute.benching.setbacks import FailedAttempts, Setback, setback_of
from banditroute.benching.settings import Patience
from banditroute.delivery.retry import backoff_s
from banditroute.delivery.settings import Retrying
from banditroute.errors import (
    BanditrouteError,
    InvalidRequestError,
    NoEligibleModelError,
    ProviderError,
    Remedy,
    UnansweredError,
)
from banditroute.records import Answer, ChatRequest
from banditroute.router import Router


class CallFailedError(BanditrouteError):
    """The model did not answer, and asking it again would not help.

    Attributes:
        failure: what went wrong, by name.
        spent_usd: dollars that the attempts are taken to have cost.
    """

    def __init__(self, failure: str, problem: str, spent_usd: float) -> None:
        super().__init__(f"{failure}: {problem}")
        self.failure = failure
        self.spent_usd = spent_usd


class GivenUpError(BanditrouteError):
    """The model is not asked any more in this run; says why.

    Attributes:
        spent_usd: dollars that the attempts of this call are taken to have cost.
    """

    def __init__(self, model: str, why: str, spent_usd: float) -> None:
        super().__init__(f"{model} was given up: {why}")
        self.spent_usd = spent_usd


class Asked(NamedTuple):
    """An answer, and the dollars that attempts before it are taken to have cost."""

    answer: Answer
    lost_usd: float


Away = Callable[[float], AbstractAsyncContextManager[None]]
"""Gives up a place for a while; is told of the dollars that the call is taken to have cost so far."""


class _Standing:
    """How one model does."""

    def __init__(self) -> None:
        self.silent_since: float | None = None
        self.failures = 0
        self.given_up = ""

    def answered(self) -> None:
        self.silent_since = None
        self.failures = 0

    def silent_s(self, now: float) -> float:
        """Seconds since the first setback after the last answer."""
        if self.silent_since is None:
            self.silent_since = now
        return now - self.silent_since


class Asker:
    """Asks models through a router that makes one attempt at a time; one event loop, one owner.

    Args:
        router: open.
        attempts: its observer.
        models: whom it may ask.
        pay: is told of the dollars of every attempt.
        retrying: how long to wait between attempts.
        patience: when to give up.
        uniform: chance, uniform in [0, 1).
    """

    def __init__(
        self,
        router: Router,
        attempts: FailedAttempts,
        models: Iterable[str],
        *,
        pay: Callable[[float], None],
        retrying: Retrying,
        uniform: Callable[[], float],
        patience: Patience,
    ) -> None:
        self._router = router
        self._attempts = attempts
        self._pay = pay
        self._retrying = retrying
        self._uniform = uniform
        self._patience = patience
        self._standings = {model: _Standing() for model in models}

    def given_up(self, model: str) -> str:
        """Why the model is not asked any more; empty where it is."""
        return self._standings[model].given_up

    async def ask(
        self, request: ChatRequest, model: str, may_go_on: Callable[[], bool], away: Away = nullcontext
    ) -> Asked:
        """The model's answer.

        Args:
            request: what is asked.
            model: who is.
            may_go_on: whether another attempt may be made after one that cost something.
            away: is entered while nothing is under way, for there is a wait before the next attempt.

        Raises:
            CallFailedError: it has none.
            GivenUpError: it is not asked any more.
        """
        standing, tries, waits, spent_usd = self._standings[model], 0, 0, 0.0
        while True:
            if standing.given_up:
                raise GivenUpError(model, standing.given_up, spent_usd)
            found = await self._attempt(request, model)
            if isinstance(found, Answer):
                standing.answered()
                self._pay(found.cost_usd)
                return Asked(found, spent_usd)
            spent_usd += found.cost_usd
            self._pay(found.cost_usd)
            tries += found.remedy is not Remedy.LATER
            if self._over(found, tries):
                self._failed(standing, found)
                raise CallFailedError(found.failure, found.problem, spent_usd)
            if found.cost_usd and not may_go_on():
                raise GivenUpError(model, "the limit of dollars is reached", spent_usd)
            self._bear(standing, found)
            if not standing.given_up:
                async with away(spent_usd):
                    await asyncio.sleep(backoff_s(waits, self._uniform(), self._retrying, found.wait_s))
            waits += 1

    async def _attempt(self, request: ChatRequest, model: str) -> Answer | Setback:
        params = dict(request.params)
        try:
            return await self._router.chat(request.messages, model=model, **params)
        except (UnansweredError, ProviderError, NoEligibleModelError, InvalidRequestError) as error:
            return setback_of(error, self._attempts)

    def _over(self, setback: Setback, tries: int) -> bool:
        """Whether the call has failed for good: nothing is held against it that the model itself is given up for."""
        if setback.fatal:
            return False
        return setback.remedy in (Remedy.NEVER, Remedy.INELIGIBLE) or tries >= self._patience.tries

    def _failed(self, standing: _Standing, setback: Setback) -> None:
        standing.failures += not setback.own
        if standing.failures >= self._patience.failures:
            standing.given_up = f"{standing.failures} calls in a row failed, the last of {setback.problem}"

    def _bear(self, standing: _Standing, setback: Setback) -> None:
        """Gives the model up where waiting is of no use."""
        silent_s = standing.silent_s(asyncio.get_running_loop().time()) + (setback.wait_s or 0.0)
        if setback.fatal or silent_s > self._patience.longest_s:
            standing.given_up = setback.problem
