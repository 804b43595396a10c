"""Judges: models that grade other models' answers, for a share of them, each answer once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

import orjson

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
    """

    model: str
    rubric: Rubric = _RUBRIC
    share: float = 1.0
    baseline: str | None = None


class Judge:
    """Grades a share of the answers by asking a model; one that was judged before is not judged again.

    Args:
        name: the source of its grades.
        bench: who judges, and what.
        complete: has a model answer.
    """

    def __init__(self, name: str, bench: Bench, complete: Complete) -> None:
        self.name = name
        self._bench = bench
        self._complete = complete
        self._verdicts: OrderedDict[bytes, asyncio.Task[float]] = OrderedDict()

    async def grade(self, item: Item) -> float | None:
        """The quality; None where the answer is not in the share, or has no text.

        Raises:
            UngradableError: no verdict could be had.
        """
        if not item.completion.text or not sampled(self.name, item.decision_id, self._bench.share):
            return None
        key = _key(item, self._bench)
        task = self._verdicts.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = asyncio.create_task(self._judged(item))
            self._verdicts[key] = task
            if len(self._verdicts) > _KEPT:
                self._verdicts.popitem(last=False)
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Gives up what is being judged; a second call does nothing."""
        for task in self._verdicts.values():
            task.cancel()
        await asyncio.gather(*self._verdicts.values(), return_exceptions=True)
        self._verdicts.clear()

    async def _judged(self, item: Item) -> float:
        bench = self._bench
        try:
            if bench.baseline is None:
                reply = await self._complete(judge_request(item, bench.rubric), bench.model)
                return verdict(reply.text, bench.rubric)
            baseline = item.expected or (await self._complete(item.request, bench.baseline)).text
            requests = pair_requests(item, baseline, bench.rubric)
            replies = await asyncio.gather(*(self._complete(request, bench.model) for request in requests))
            return pair_verdict(replies[0].text, replies[1].text)
        except UngradableError:
            raise
        except BanditrouteError as error:
            raise UngradableError(f"the judge did not answer: {error}") from error


def sampled(name: str, decision_id: str, share: float) -> bool:
    """Whether a decision is in a share: the same for every process, and independent for judges of two names."""
    if share >= 1.0:
        return True
    digest = blake2b(f"{name}\0{decision_id}".encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest) < share * _WHOLE


def _key(item: Item, bench: Bench) -> bytes:
    """Names what is judged, and by whom."""
    messages = orjson.dumps([dict(message) for message in item.request.messages], default=str)
    parts = (messages, item.completion.text, item.expected or "", bench.model, bench.rubric.criteria)
    digest = blake2b(digest_size=16)
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode(errors="replace")
        digest.update(len(data).to_bytes(8))
        digest.update(data)
    return digest.digest()
