"""Makes calls that are paid for: within the limit, graded, and on record before they count."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from banditroute.benching.asking import Asker, CallFailedError, GivenUpError
from banditroute.benching.calls import CallKey, FinishedCall
from banditroute.benching.grading import Examiners, Graded
from banditroute.benching.journal import Journal
from banditroute.benching.planning import BenchPlan
from banditroute.benching.settings import RunSettings
from banditroute.benching.spending import Purse
from banditroute.benching.worst import Reckoner
from banditroute.errors import BanditrouteError
from banditroute.grading.protocol import Item
from banditroute.records import Answer, ChatRequest, Completion
from banditroute.sweeping.executor import Crew


class JudgeGoneError(BanditrouteError):
    """A judge is not asked any more: an answer that is paid for now would never be graded."""


class CrowdedError(BanditrouteError):
    """As many calls of a model as may be under way wait to be tried again: another one had better not join them."""


class Payer:
    """Makes calls, and has judges asked; one event loop, one owner.

    Args:
        plan: what is run.
        journal: open; learns of every call before it is made, and again once it is over.
        settings: how to run.
        asker: asks models.
        purse: what may be spent.
        crew: grades, where that needs no judge.

    Attributes:
        judging_usd: dollars for judges so far, earlier runs included.
    """

    def __init__(
        self,
        plan: BenchPlan,
        journal: Journal,
        settings: RunSettings,
        asker: Asker,
        purse: Purse,
        crew: Crew[Item, Graded],
    ) -> None:
        self._plan = plan
        self._journal = journal
        self._keep_answers = settings.keep_answers
        self._asker = asker
        self._purse = purse
        self._concurrency = settings.concurrency
        self._places = asyncio.Semaphore(settings.concurrency)
        self._reckoner = Reckoner(plan.router.catalog, plan.judges)
        self._examiners = Examiners(crew, plan.judges, self._complete)
        self.judging_usd = journal.kept.judging_usd
        self._open: Counter[str] = Counter()

    async def aclose(self) -> None:
        """Gives up what judges have not answered, and waits for the journal; a second call does nothing."""
        await self._examiners.aclose()
        await self._journal.settled()

    @property
    def spent_usd(self) -> float:
        """Dollars so far, those of earlier runs included."""
        return self._purse.spent_usd

    async def call(self, row: int, model: str, turn: int, *, may_crowd: bool = False) -> FinishedCall:
        """One call, over and on disk; one that failed for good is one, too.

        Args:
            row: the prompt's.
            model: who is asked.
            turn: the how-manieth time.
            may_crowd: also beside as many calls of the model as may be under way, since they wait to be tried again.

        Raises:
            CrowdedError: there are as many.
            SpentError: the limit has no room for it.
            JudgeGoneError: a judge is given up.
            GivenUpError: the model is.
        """
        key = self._plan.key(row, model, turn)
        most_usd = self._reckoner.most_usd(self._plan.prompts.rows[row], self._plan.tasks[row], model)
        async with self._purse.hold(most_usd), self._places:
            self._check_judges()
            if self._open[model] >= self._concurrency and not may_crowd:
                raise CrowdedError(model)
            self._open[model] += 1
            try:
                self._journal.begun(key, most_usd)
                call = await self._made(key, row, most_usd)
                await self._journal.finished(call)
            finally:
                self._open[model] -= 1
        return call

    async def _made(self, key: CallKey, row: int, most_usd: float) -> FinishedCall:
        request = self._plan.prompts.rows[row].request

        def away(spent_usd: float) -> AbstractAsyncContextManager[None]:
            return self._away(key, most_usd, spent_usd)

        try:
            asked = await self._asker.ask(request, key.model, self._purse.has_room, away)
        except CallFailedError as error:
            return FinishedCall(key, error.failure, error.spent_usd)
        except GivenUpError as error:
            self._journal.left(key, error.spent_usd)
            raise
        return await self._graded(key, row, asked.answer, asked.lost_usd + asked.answer.cost_usd)

    @asynccontextmanager
    async def _away(self, key: CallKey, most_usd: float, spent_usd: float) -> AsyncGenerator[None]:
        """While a call waits another one has its place, and there is nothing of it to lose that it has not cost yet."""
        if not spent_usd:
            self._journal.left(key, 0.0)
        self._places.release()
        try:
            yield
        finally:
            await self._places.acquire()
        if not spent_usd:
            self._journal.begun(key, most_usd)

    async def _graded(self, key: CallKey, row: int, answer: Answer, spent_usd: float) -> FinishedCall:
        prompt, task, completion = self._plan.prompts.rows[row], self._plan.tasks[row], answer.completion
        item = Item("/".join(map(str, key)), task, prompt.request, completion, prompt.expected)
        graded = await self._examiners.grade(item)
        usage = answer.usage
        return FinishedCall(
            key,
            spent_usd=spent_usd,
            cost_usd=self._cost_usd(answer),
            latency_s=None if completion.from_cache else round(answer.outcome.attempts[-1].duration_s, 6),
            input_tokens=0 if usage is None else usage.input_tokens,
            output_tokens=0 if usage is None else usage.output_tokens,
            grades=graded.grades,
            ungraded=graded.ungraded,
            text=answer.text if self._keep_answers else None,
        )

    def _cost_usd(self, answer: Answer) -> float:
        """What the answer costs; one that a cache gave, what it would have cost without."""
        if answer.completion.from_cache and answer.usage is not None:
            return self._plan.router.catalog[answer.model].price.cost_usd(answer.usage)
        return answer.cost_usd

    async def _complete(self, request: ChatRequest, model: str) -> Completion:
        """A judge's reply, or a baseline's for it, paid and on record."""
        try:
            asked = await self._asker.ask(request, model, self._purse.has_room)
        except (CallFailedError, GivenUpError) as error:
            self._judged(error.spent_usd)
            raise
        self._judged(asked.lost_usd + asked.answer.cost_usd)
        return asked.answer.completion

    def _judged(self, spent_usd: float) -> None:
        if spent_usd:
            self.judging_usd += spent_usd
            self._journal.judged(spent_usd)

    def _check_judges(self) -> None:
        for judge in self._plan.judges:
            for model in filter(None, (judge.bench.model, judge.bench.baseline)):
                if why := self._asker.given_up(model):
                    raise JudgeGoneError(f"judge {judge.name} cannot go on, {model} was given up: {why}")
