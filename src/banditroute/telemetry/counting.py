"""Counts what events tell; it runs on the path of every request, so it does arithmetic and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from banditroute.observe import Attempted, Decided, Judged, Settled
from banditroute.records import Attempt, Decision, Outcome
from banditroute.routing.accounts import picos_of
from banditroute.routing.tasks import is_chosen_on

from .families import Spread
from .tallies import (
    LONG_SECONDS,
    MOST_TASKS,
    SHORT_SECONDS,
    EdgeTally,
    Ending,
    ModelTally,
    Names,
    TaskTally,
    TenantTally,
)

WorthOf = Callable[[Decision], Mapping[str, float]]
"""Quality points that each model of a decision was expected to be worth."""

_MOST_TENANTS = 100
_MOST_SOURCES = 32


class Counts:
    """What requests came to since the process began.

    Args:
        by_tenant: count for each tenant too.

    Attributes:
        edges: by task class and model; models: by model; tasks: by task class; tenants: by tenant.
        fallbacks: how often a model was drawn in another's place, by (the other, the model).
        judgements: by their source.
        overhead: seconds of answered requests that no provider was waited for.
        lag: seconds from decisions to their judgements.
        worth_of: what models are worth; None = nobody knows, and no regret is estimated.
    """

    def __init__(self, *, by_tenant: bool = False) -> None:
        self.edges: dict[tuple[str, str], EdgeTally] = {}
        self.models: dict[str, ModelTally] = {}
        self.tasks: dict[str, TaskTally] = {}
        self.tenants: dict[str, TenantTally] | None = {} if by_tenant else None
        self.fallbacks: Counter[tuple[str, str]] = Counter()
        self.judgements: Counter[str] = Counter()
        self.overhead = Spread(SHORT_SECONDS)
        self.lag = Spread(LONG_SECONDS)
        self.worth_of: WorthOf | None = None
        self._task_names = Names(MOST_TASKS)
        self._tenant_names = Names(_MOST_TENANTS)
        self._source_names = Names(_MOST_SOURCES)

    def decided(self, event: Decided) -> None:
        """Counts a decision, and how much of it was exploring."""
        decision = event.decision
        edge = self._edge(decision.context.task, decision.chosen)
        if event.fallback_from:
            edge.fallback += 1
            self.fallbacks[event.fallback_from[-1], decision.chosen] += 1
        elif decision.pinned:
            edge.pinned += 1
        else:
            edge.drawn += 1
            self._explored(decision)

    def attempted(self, event: Attempted) -> None:
        """Counts a call."""
        attempt = event.attempt
        model = self._model(attempt.model)
        model.calls[attempt.failure] += 1
        model.hedges += attempt.hedge
        model.probes += attempt.probe

    def settled(self, event: Settled) -> None:
        """Counts what serving a decision came to."""
        outcome, decision = event.outcome, event.decision
        task, model = decision.context.task, outcome.served or decision.chosen
        edge = self._edge(task, model)
        edge.endings[_ending(outcome)] += 1
        if outcome.usage is not None:
            _add_tokens(edge, outcome)
        if len(outcome.attempts) <= 1:
            edge.picos += picos_of(outcome.cost_usd)
        else:
            self._several(task, outcome.attempts)
        if outcome.ok:
            self._answered(outcome, task)
        if self.tenants is not None:
            tenant = self._tenant(decision.tenant)
            tenant.requests += 1
            tenant.picos += picos_of(outcome.cost_usd)

    def judged(self, event: Judged) -> None:
        """Counts a judgement."""
        feedback, decision = event.feedback, event.decision
        edge = self._edge(decision.context.task, event.outcome.served)
        edge.judged += 1
        edge.quality += feedback.quality
        self.judgements[self._source_names(feedback.source)] += 1
        self.lag.add(max(feedback.at - decision.at, 0.0))
        if event.first:
            self._task(decision.context.task).judged += 1

    def _explored(self, decision: Decision) -> None:
        """Adds the probability of all but the likeliest model, and what the drawn one is worth less than the best."""
        task = self._task(decision.context.task)
        task.explored += 1.0 - max(decision.propensities.values())
        if self.worth_of is not None:
            worth = self.worth_of(decision)
            task.regret += max(worth.values()) - worth[decision.chosen]
            task.valued += 1

    def _several(self, task: str, attempts: tuple[Attempt, ...]) -> None:
        """Charges each call to its model, and counts those of a model that had been called already."""
        called: set[str] = set()
        for attempt in attempts:
            self._edge(task, attempt.model).picos += picos_of(attempt.cost_usd)
            if attempt.model in called and not attempt.hedge:
                self._model(attempt.model).retries += 1
            called.add(attempt.model)

    def _answered(self, outcome: Outcome, task: str) -> None:
        """Adds what an answer took, and of it what its provider did not where it took one call."""
        if is_chosen_on(task):
            self._task(task).answers += 1
        if outcome.from_cache:
            return
        model = self._model(outcome.served)
        model.latency.add(outcome.latency_s)
        if outcome.ttft_s is not None:
            model.ttft.add(outcome.ttft_s)
        if len(outcome.attempts) == 1:
            self.overhead.add(max(outcome.latency_s - outcome.attempts[0].duration_s, 0.0))

    def _edge(self, task: str, model: str) -> EdgeTally:
        edge = self.edges.get((task, model))
        if edge is None:
            edge = self.edges.setdefault((self._task_names(task), model), EdgeTally())
        return edge

    def _model(self, name: str) -> ModelTally:
        model = self.models.get(name)
        if model is None:
            model = self.models[name] = ModelTally()
        return model

    def _task(self, name: str) -> TaskTally:
        task = self.tasks.get(name)
        if task is None:
            task = self.tasks.setdefault(self._task_names(name), TaskTally())
        return task

    def _tenant(self, name: str) -> TenantTally:
        assert self.tenants is not None, "asked for where tenants are counted"
        return self.tenants.setdefault(self._tenant_names(name), TenantTally())


def _ending(outcome: Outcome) -> Ending:
    if not outcome.ok:
        return "failed"
    return "cached" if outcome.from_cache else "answered"


def _add_tokens(edge: EdgeTally, outcome: Outcome) -> None:
    usage = outcome.usage
    assert usage is not None, "asked for where there is one"
    edge.input_tokens += usage.input_tokens
    edge.output_tokens += usage.output_tokens
    edge.cached_tokens += usage.cached_input_tokens
    edge.cache_write_tokens += usage.cache_write_tokens
    edge.reasoning_tokens += usage.reasoning_tokens
