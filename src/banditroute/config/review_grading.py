"""What a configuration that can be used may still get wrong about graders and judges."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from banditroute.config.findings import (
    TYPICAL_INPUT_TOKENS,
    TYPICAL_OUTPUT_TOKENS,
    Finding,
    dollars,
    typical_usd,
)
from banditroute.config.values import JudgeConfig, RouterConfig
from banditroute.errors import UngradableError
from banditroute.grading.asking import quality_of
from banditroute.grading.protocol import Item
from banditroute.prompts.names import SHIPPED
from banditroute.records import ChatRequest, Completion
from banditroute.routing.budgets import Cap
from banditroute.routing.tasks import EMBEDDINGS, GENERAL, JUDGE_TASK

_FRAME_TOKENS = 200  # of what a judge is told beside request and answer
_VERDICT_TOKENS = 10
_QUESTION = ChatRequest(({"role": "user", "content": "What is 2 + 2?"},))
_ANSWER = Completion({}, "4", None)


def known_tasks(config: RouterConfig) -> frozenset[str]:
    """The classes that requests may be of, their callers naming none; and those of judges' calls."""
    named = (*config.routing.tasks, *(task.name for task in config.tasks), *(rule.task for rule in config.rules))
    judging = (JUDGE_TASK + judge.name for judge in config.judges)
    shipped = SHIPPED if config.routing.classifier == "prompt" else ()
    return frozenset((*named, *judging, *shipped, GENERAL, EMBEDDINGS))


def judging_usd(config: RouterConfig, judge: JudgeConfig) -> float:
    """Dollars that it costs to judge the typical answer."""
    bench, price = judge.bench, config.catalog[judge.bench.model].price
    shown = _FRAME_TOKENS + TYPICAL_INPUT_TOKENS + TYPICAL_OUTPUT_TOKENS
    if bench.baseline is None:
        return price.estimate_usd(shown, _VERDICT_TOKENS)
    comparing = price.estimate_usd(shown + TYPICAL_OUTPUT_TOKENS, _VERDICT_TOKENS)
    return typical_usd(config.catalog[bench.baseline]) + 2 * comparing


def _unbounded(config: RouterConfig, _: Mapping[str, str]) -> Iterator[Finding]:
    for judge in config.judges:
        each = judging_usd(config, judge)
        if each and not any(budget.scope.name == JUDGE_TASK + judge.name for budget in config.budgets):
            problem = f"no cap of its own: it costs {dollars(each)} for each typical answer that it judges"
            yield Finding("judge", f"judge {judge.name!r}", problem, "give usd_per_day or usd_per_month")


def _unrouted(config: RouterConfig, _: Mapping[str, str]) -> Iterator[Finding]:
    if not any(model.routed for model in config.catalog):
        problem = "none may be drawn: a request that names no model finds nobody"
        yield Finding("unrouted", "models", problem, "take routed = false from one")


def _small(config: RouterConfig, _: Mapping[str, str]) -> Iterator[Finding]:
    by_task = {JUDGE_TASK + judge.name: judge for judge in config.judges}
    for budget in config.budgets:
        judge = by_task.get(budget.scope.name)
        if judge is None or not isinstance(budget, Cap):
            continue
        held = _held_usd(config, judge)
        if budget.usd < held < math.inf:
            problem = f"less than one call of judge {judge.name!r} may cost: up to {dollars(held)}"
            yield Finding("small", f"budget {budget.name!r}", problem, "raise it, or lower max_tokens in its params")


def _held_usd(config: RouterConfig, judge: JudgeConfig) -> float:
    """Dollars that are held for one call on the typical answer."""
    model, params = config.catalog[judge.bench.model], judge.bench.rubric.params
    longest: object = params.get("max_completion_tokens", params.get("max_tokens"))
    asked = longest if isinstance(longest, int) else math.inf
    most = model.capabilities.max_output_tokens
    shown = _FRAME_TOKENS + TYPICAL_INPUT_TOKENS + TYPICAL_OUTPUT_TOKENS
    return model.price.bound_usd(shown, min(asked, math.inf if most is None else most))


def _classes(config: RouterConfig, _: Mapping[str, str]) -> Iterator[Finding]:
    known = known_tasks(config)
    for kind, graders in (("grader", config.graders), ("judge", config.judges)):
        for grader in graders:
            for task in sorted(set(grader.tasks) - known):
                problem = f"no class is called {task!r}: it grades none of these unless callers name that task"
                yield Finding("task", f"{kind} {grader.name!r}", problem, "mend the name, or add it to routing.tasks")


def _failing(config: RouterConfig, _: Mapping[str, str]) -> Iterator[Finding]:
    for grader in config.graders:
        item = Item("", next(iter(grader.tasks), GENERAL), _QUESTION, _ANSWER)
        try:
            quality_of(grader.grader.grade, item)
        except UngradableError as error:
            remedy = "mend it, or let it say None where it has nothing to say"
            yield Finding("grader", f"grader {grader.name!r}", f"has no quality for a plain answer: {error}", remedy)


GRADING_CHECKS = (_unrouted, _unbounded, _small, _classes, _failing)
"""The checks, in the order of their findings."""
