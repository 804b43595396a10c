"""The metrics of requests: what was counted of them since the process began."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from banditroute.routing.accounts import PICOS

from .counting import Counts
from .families import Columns, Readings, Sums, counter, gauge, histogram, only, summary, table
from .tallies import EdgeTally, ModelTally, TaskTally

_EDGE = ("task", "model")
_TOKENS = "{} of requests, by the model that answered; estimated where the provider does not say."

REQUESTS = counter(
    "banditroute_requests_total",
    "Settled requests, by the model that answered (or else was chosen) and their end: answered, cached, failed.",
    *_EDGE,
    "outcome",
)
DECISIONS = counter(
    "banditroute_decisions_total",
    "Decisions by the model that was chosen, and how: drawn, pinned by the caller, or fallback after a failure.",
    *_EDGE,
    "how",
)
COST = counter("banditroute_cost_usd_total", "Dollars of calls, failed ones included, by their model.", *_EDGE)
INPUT = counter("banditroute_input_tokens_total", _TOKENS.format("Prompt tokens, cached ones included,"), *_EDGE)
OUTPUT = counter("banditroute_output_tokens_total", _TOKENS.format("Answer tokens, reasoning included,"), *_EDGE)
CACHED = counter("banditroute_cached_input_tokens_total", _TOKENS.format("Prompt tokens read from the cache"), *_EDGE)
CACHE_WRITES = counter(
    "banditroute_cache_write_tokens_total", _TOKENS.format("Prompt tokens written to the cache"), *_EDGE
)
REASONING = counter("banditroute_reasoning_tokens_total", _TOKENS.format("Reasoning tokens"), *_EDGE)
JUDGED_QUALITY = summary(
    "banditroute_judged_quality", "Qualities from 0 to 1 that answers were judged to have.", *_EDGE
)
ATTEMPTS = counter(
    "banditroute_attempts_total",
    "Calls of models that the router made, by how they ended: answered, or the name of the failure.",
    "model",
    "provider",
    "outcome",
)
RETRIES = counter("banditroute_retries_total", "Calls of a model that had been called for the same request.", "model")
HEDGES = counter("banditroute_hedges_total", "Second calls beside a slow first one.", "model")
PROBES = counter("banditroute_probes_total", "Calls that tested whether a model is back.", "model")
FALLBACKS = counter(
    "banditroute_fallbacks_total",
    "Times that a model was drawn in the place of one that had failed.",
    "from_model",
    "to_model",
)
LATENCY = histogram(
    "banditroute_request_duration_seconds",
    "Seconds from the decision to the whole answer, failed calls included, by the model that answered.",
    "model",
)
TTFT = histogram(
    "banditroute_time_to_first_token_seconds",
    "Seconds from dispatch to the first content of streamed answers.",
    "model",
)
OVERHEAD = histogram(
    "banditroute_overhead_seconds",
    "Seconds from the decision to the answer less those in which its provider was waited for, where one call answered.",
)
EXPLORATION = summary(
    "banditroute_exploration_ratio", "Probability that drawn decisions gave to all models but the likeliest.", "task"
)
REGRET = summary(
    "banditroute_regret_estimate_points",
    "Quality points by which the chosen model was expected to be worth less than the best, dollars at shadow prices.",
    "task",
)
ANSWERS = counter("banditroute_answers_total", "Answers that could be judged.", "task")
JUDGED = counter("banditroute_judged_answers_total", "Answers that were judged, each counted once.", "task")
MISSING = gauge(
    "banditroute_feedback_missing_ratio",
    "Share of the answers since the start of the process that nobody has judged yet.",
    "task",
)
JUDGEMENTS = counter("banditroute_judgements_total", "Judgements by who or what judged.", "source")
LAG = histogram("banditroute_feedback_lag_seconds", "Seconds from decisions to their judgements.")
TENANT_REQUESTS = counter(
    "banditroute_tenant_requests_total", "Settled requests of each tenant, where that is asked for.", "tenant"
)
TENANT_COST = counter(
    "banditroute_tenant_cost_usd_total", "Dollars of each tenant's requests, where that is asked for.", "tenant"
)

_OF_EDGES: Columns[EdgeTally] = (
    (COST, lambda edge: edge.picos / PICOS),
    (INPUT, lambda edge: edge.input_tokens),
    (OUTPUT, lambda edge: edge.output_tokens),
    (CACHED, lambda edge: edge.cached_tokens),
    (CACHE_WRITES, lambda edge: edge.cache_write_tokens),
    (REASONING, lambda edge: edge.reasoning_tokens),
)
_OF_MODELS: Columns[ModelTally] = (
    (RETRIES, lambda model: model.retries),
    (HEDGES, lambda model: model.hedges),
    (PROBES, lambda model: model.probes),
)
_OF_TASKS: Columns[TaskTally] = (
    (ANSWERS, lambda task: task.answers),
    (JUDGED, lambda task: task.judged),
)

FAMILIES = (
    REQUESTS,
    DECISIONS,
    *(family for family, _ in _OF_EDGES),
    JUDGED_QUALITY,
    ATTEMPTS,
    *(family for family, _ in _OF_MODELS),
    FALLBACKS,
    LATENCY,
    TTFT,
    OVERHEAD,
    EXPLORATION,
    REGRET,
    *(family for family, _ in _OF_TASKS),
    MISSING,
    JUDGEMENTS,
    LAG,
    TENANT_REQUESTS,
    TENANT_COST,
)


def readings(counts: Counts, provider_of: Callable[[str], str]) -> Iterator[Readings]:
    """What was counted.

    Args:
        counts: the counts.
        provider_of: a model's provider, by its name.
    """
    yield from _edges(counts)
    yield from _models(counts, provider_of)
    yield from _tasks(counts)
    yield Readings(JUDGEMENTS, [((source,), n) for source, n in counts.judgements.items()])
    yield only(LAG, counts.lag)
    tenants = (counts.tenants or {}).items()
    yield Readings(TENANT_REQUESTS, [((name,), tenant.requests) for name, tenant in tenants])
    yield Readings(TENANT_COST, [((name,), tenant.picos / PICOS) for name, tenant in tenants])


def _edges(counts: Counts) -> Iterator[Readings]:
    """By task class and model; zeros are left out but for where money or requests went."""
    edges = counts.edges.items()
    endings = [((*place, how), n) for place, edge in edges for how, n in edge.endings.items() if n]
    yield Readings(REQUESTS, endings)
    yield Readings(DECISIONS, [((*place, how), n) for place, edge in edges for how, n in _choices(edge) if n])
    for family, of in _OF_EDGES:
        yield Readings(family, [(place, n) for place, edge in edges if (n := of(edge)) or family is COST])
    judged = [(place, Sums(edge.quality, edge.judged)) for place, edge in edges if edge.judged]
    yield Readings(JUDGED_QUALITY, judged)


def _models(counts: Counts, provider_of: Callable[[str], str]) -> Iterator[Readings]:
    models = counts.models.items()
    calls = [
        ((name, provider_of(name), failure or "answered"), n)
        for name, model in models
        for failure, n in model.calls.items()
    ]
    yield Readings(ATTEMPTS, calls)
    yield from table(_OF_MODELS, [((name,), model) for name, model in models])
    yield Readings(FALLBACKS, list(counts.fallbacks.items()))
    yield Readings(LATENCY, [((name,), model.latency) for name, model in models if model.latency])
    yield Readings(TTFT, [((name,), model.ttft) for name, model in models if model.ttft])
    yield only(OVERHEAD, counts.overhead)


def _tasks(counts: Counts) -> Iterator[Readings]:
    tasks = counts.tasks.items()
    drawn: dict[str, int] = dict.fromkeys(counts.tasks, 0)
    for (task, _), edge in counts.edges.items():
        drawn[task] = drawn.get(task, 0) + edge.drawn
    yield Readings(EXPLORATION, [((name,), Sums(task.explored, drawn[name])) for name, task in tasks])
    yield Readings(REGRET, [((name,), Sums(task.regret, task.valued)) for name, task in tasks])
    yield from table(_OF_TASKS, [((name,), task) for name, task in tasks])
    yield Readings(MISSING, [((name,), _missing(task)) for name, task in tasks if task.answers])


def _choices(edge: EdgeTally) -> tuple[tuple[str, int], ...]:
    return ("drawn", edge.drawn), ("pinned", edge.pinned), ("fallback", edge.fallback)


def _missing(task: TaskTally) -> float:
    """Judgements of answers given before the process began are among those counted."""
    return max(1.0 - task.judged / task.answers, 0.0)
