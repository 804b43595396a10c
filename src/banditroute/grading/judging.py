"""Judges: models that grade other models' answers, for a share of them, each answer once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

from banditroute.errors import BanditrouteError, UngradableError
from banditroute.records import ChatRequest, Completion

from .judge import Rubric, judge_request, verdict
from .pairs import pair_requests, pair_verdict
from .protocol import Item

_KEPT = 4_096
_RUBRIC = Rubric()
_WHOLE = 1 << 64


class Complete(Protocol):
    """Has a model of the catalog answer."""

    async def __call__(self, request: ChatRequest, model: str) -> Completion:
        """Its answer.

        Raises:
            BanditrouteError: there is none: no budget, no model, no answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class Bench:
    """Who judges, and what.

    Attributes:
        model: the judge.
        rubric: by what it goes.
        share: of the answers; which ones follows from their decisions' names.
        baseline: the model whose answers it compares with; None = it scores each answer by itself.
        at_once: answers that are judged at a time; others wait, so that judging does not crowd out what is judged.
    """

    model: str
    rubric: Rubric = _RUBRIC
    share: float = 1.0
    baseline: str | None = None
    at_once: int = 8


class Judge:
    """Grades a share of the answers by asking a model; what it was shown once it is not asked again.

    Args:
        name: the source of its grades.
        bench: who judges, and what.
        complete: has a model answer.
    """

    def __init__(self, name: str, bench: Bench, complete: Complete) -> None:
        self.name = name
        self._bench = bench
        self._complete = complete
        self._turns = asyncio.Semaphore(bench.at_once)
        self._known: OrderedDict[bytes, float] = OrderedDict()
        self._running: dict[bytes, asyncio.Task[float]] = {}

    def wants(self, item: Item) -> bool:
        """Whether the answer has text and is in the share."""
        return bool(item.completion.text) and sampled(self.name, item.decision_id, self._bench.share)

    async def grade(self, item: Item) -> float | None:
        """The quality; answers that look the same to the judge share one verdict, also while it is being had.

        Raises:
            UngradableError: no verdict could be had.
        """
        request = judge_request(item, self._bench.rubric)
        key = _key(request)
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            return known
        running = self._running.get(key)
        if running is None:
            running = self._running[key] = asyncio.create_task(self._judged(key, item, request))
            running.add_done_callback(lambda _: self._running.pop(key, None))
        return await asyncio.shield(running)

    async def aclose(self) -> None:
        """Gives up what is being judged; a second call does nothing."""
        running = tuple(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _judged(self, key: bytes, item: Item, request: ChatRequest) -> float:
        try:
            async with self._turns:
                quality = await self._asked(item, request)
        except UngradableError:
            raise
        except BanditrouteError as error:
            raise UngradableError(f"the judge did not answer: {error}") from error
        self._known[key] = quality
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return quality

    async def _asked(self, item: Item, request: ChatRequest) -> float:
        bench = self._bench
        if bench.baseline is None:
            reply = await self._complete(request, bench.model)
            return verdict(reply.text, bench.rubric)
        baseline = await self._complete(item.request, bench.baseline)
        if not baseline.text:
            raise UngradableError("the baseline's answer has no text to compare with")
        first, swapped = pair_requests(item, baseline.text, bench.rubric)
        reply = await self._complete(first, bench.model)  # one by one: what fails the first time is not paid twice
        again = await self._complete(swapped, bench.model)
        return pair_verdict(reply.text, again.text)


def sampled(name: str, decision_id: str, share: float) -> bool:
    """Whether a decision is in a share: the same for every process, and independent for judges of two names."""
    if share >= 1.0:
        return True
    digest = blake2b(f"{name}\0{decision_id}".encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest) < share * _WHOLE


def _key(request: ChatRequest) -> bytes:
    """Names what a judge is shown: of long texts that is not all, and what it cannot see makes no difference."""
    return blake2b(str(request.messages[-1]["content"]).encode(), digest_size=16).digest()
