"""Warm starts: measured outcomes become lessons, lessons the saved policy that a router begins with."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from banditroute.assemble import decider_of
from banditroute.config import RouterConfig
from banditroute.errors import InputError
from banditroute.evaluation.log import LogTable
from banditroute.learning.pacer import Pacer
from banditroute.learning.warm import ESS
from banditroute.prompting import Prompting, prompting_of
from banditroute.records import ChatRequest, Context
from banditroute.routing.budgets import PacedBudget
from banditroute.routing.decider import Decider
from banditroute.routing.lessons import Lesson, inputs_of, log_latency, log_tokens
from banditroute.routing.saved import SavedPolicy, SavedPrice, saved_policy
from banditroute.routing.tasks import GENERAL, Task
from banditroute.simulation.table import OutcomeTable

_CONTEXTS = 256  # requests that the prices are solved from


class WarmStart(NamedTuple):
    """What a router begins with.

    Attributes:
        saved: the policy, to be written.
        decider: one that has begun with it, to be asked what it believes.
        lessons: the outcomes that it was made from.
        contexts: the requests that they were had on.
    """

    saved: SavedPolicy
    decider: Decider
    lessons: list[Lesson]
    contexts: list[Context]


def warm_start(
    plan: RouterConfig, source: OutcomeTable | LogTable, *, ess: float = ESS, name: str | None = None
) -> WarmStart:
    """The start that a table of outcomes or a decision log makes for a configured router.

    Args:
        plan: the router; a warm start that it has already does not count.
        source: what was measured; models that the router does not have are passed over.
        ess: observations that no class and model is worth more than.
        name: what to call the source; None = as it calls itself.

    Raises:
        InputError: no outcome is of one of the router's models, or prompts or features are missing that the router's
            encoder needs.
    """
    if not (math.isfinite(ess) and ess > 0.0):
        raise InputError(f"{ess:g} is no number of observations", remedy="give a number above 0", field="--ess")
    bare = replace(plan, routing=replace(plan.routing, warm_start=None))
    prompting = prompting_of(bare)
    encoder, models = prompting.encoder, frozenset(plan.catalog.names)
    if isinstance(source, LogTable):
        contexts = _contexts_of_log(source, prompting)
        lessons = list(_lessons_of_log(source, contexts, models))
    else:
        contexts = list(_contexts_of_table(source, prompting, bare))
        lessons = list(_lessons_of_table(source, contexts, models))
    if not lessons:
        problem = f"no outcome in it is of one of the router's models: {', '.join(plan.catalog.names)}"
        raise InputError(problem, remedy="name models alike in both", path=name or source.name)
    saved = saved_policy(lessons, encoder.version, encoder.width + 2, ess, name or source.name)
    decider = decider_of(bare, encoder)
    decider.begin_with(saved)
    saved = replace(saved, prices=_prices(bare, decider, contexts))
    return WarmStart(saved, decider, lessons, contexts)


def _contexts_of_table(table: OutcomeTable, prompting: Prompting, plan: RouterConfig) -> Iterator[Context]:
    """What the router would see of each row: the table's classes, or those of the prompts; features likewise."""
    names = (*table.tasks, "")
    for i, prompt in enumerate(table.prompts):
        request = None if prompt is None else ChatRequest(({"role": "user", "content": prompt},))
        name = names[table.task_of[i]]
        task = Task(name or GENERAL) if name or request is None else prompting.classifier.classify(request)
        features = _features(request, task, tuple(table.features[i].tolist()), prompting, plan)
        yield Context(task.name, features, _whole(table.input_tokens[i]), prompting.encoder.version)


def _features(
    request: ChatRequest | None, task: Task, given: tuple[float, ...], prompting: Prompting, plan: RouterConfig
) -> tuple[float, ...]:
    """The features that the router would see: given by callers, or encoded from the prompt.

    Raises:
        InputError: neither is there.
    """
    encoder, width = prompting.encoder, plan.routing.features
    if encoder.width == 0:
        return ()
    if width:
        if len(given) == width:
            return given
        problem = f"its rows have {len(given)} features, the router's callers give {width}"
        raise InputError(problem, remedy="encode both alike", field="features")
    if request is None:
        raise InputError(
            f"a row has no prompt for the encoder {encoder.version!r} to read",
            remedy='give every row its prompt, or set routing.encoder = "none"',
            field="prompt",
        )
    return encoder.encode(request, task)


def _lessons_of_table(table: OutcomeTable, contexts: Sequence[Context], models: frozenset[str]) -> Iterator[Lesson]:
    """One of every outcome of the router's models."""
    arms = [(k, model) for k, model in enumerate(table.models) if model in models]
    for i, context in enumerate(contexts):
        for k, model in arms:
            if table.observed[i, k]:
                yield _lesson(context, model, table.quality[i, k], table.output_tokens[i, k], table.latency_s[i, k])


def _contexts_of_log(log: LogTable, prompting: Prompting) -> list[Context]:
    """What the log's router saw.

    Raises:
        InputError: it saw other features than this router would.
    """
    encoder, width = prompting.encoder, log.features.shape[1]
    if encoder.width and (width != encoder.width or log.encoder_version not in ("", encoder.version)):
        problem = f"its rows have {width} features of {log.encoder_version or 'an unknown encoder'}, the router's "
        problem += f"encoder {encoder.version} makes {encoder.width}"
        raise InputError(problem, remedy="use the log of a router with the same encoder", path=log.name)
    return [
        Context(
            log.tasks[log.task_of[i]],
            tuple(log.features[i].tolist()) if encoder.width else (),
            _whole(log.input_tokens[i]),
            encoder.version,
        )
        for i in range(log.rows)
    ]


def _lessons_of_log(log: LogTable, contexts: Sequence[Context], models: frozenset[str]) -> Iterator[Lesson]:
    """What the models that served showed; after a fallback the time is not theirs alone."""
    for i, context in enumerate(contexts):
        served = int(log.served[i])
        if served >= 0 and log.models[served] in models:
            latency_s = log.latency_s[i] if served == log.chosen[i] else math.nan
            yield _lesson(context, log.models[served], log.quality[i], log.output_tokens[i], latency_s)


def _lesson(context: Context, model: str, quality: float, output_tokens: float, latency_s: float) -> Lesson:
    """What is nan, and tokens and seconds of 0, which stand for nobody having said, teach nothing."""
    values = (
        None if math.isnan(quality) else float(quality),
        log_tokens(output_tokens) if output_tokens > 0 else None,
        log_latency(latency_s) if latency_s > 0 else None,
        None,
    )
    return Lesson(context.task, model, context.encoder_version, inputs_of(context), values)


def _whole(tokens: float) -> int:
    return 0 if math.isnan(tokens) else int(tokens)


def _prices(plan: RouterConfig, decider: Decider, contexts: Sequence[Context]) -> dict[str, SavedPrice]:
    """Where each paced budget of all traffic begins: at the price that requests like these would have needed."""
    some = contexts[:: max(len(contexts) // _CONTEXTS, 1)]
    expected = [decider.forecasts(each.task, each.input_tokens, each.features) for each in some]
    drawable = [model.name for model in plan.catalog if model.routed]
    quality = np.array([[each[model].quality for model in drawable] for each in expected])
    cost_usd = np.array([[each[model].cost_usd for model in drawable] for each in expected])
    prices: dict[str, SavedPrice] = {}
    for budget in plan.budgets:
        if isinstance(budget, PacedBudget) and budget.scope.kind == "global":
            pacer = Pacer(budget.usd_per_request, plan.routing.policy.pacing)
            pacer.foresee(quality, cost_usd / budget.usd_per_request)
            prices[budget.name] = SavedPrice(budget.usd_per_request, float(pacer.pace.log_price))
    return prices
