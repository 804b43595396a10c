"""The answer to each question: what to set, what it buys and costs, where the dollars go."""

import math

from banditroute.reports import columns
from banditroute.reports import format as write
from banditroute.reports.parts import Block, Bullets, Card, Cards, Code, Section, Table
from banditroute.tuning.results import FrontierPoint, Recommendation, TargetBudget, TaskSplit, Tuning

_MORE = 0.1


def answer_sections(result: Tuning) -> tuple[Section, ...]:
    """A section for each question, in the order asked."""
    return tuple(_section(n, each) for n, each in enumerate(result.recommendations))


def more_buys(point: FrontierPoint) -> float:
    """Quality that a tenth more dollars than this budget buy."""
    return _MORE * point.budget_usd * point.quality_per_usd


def _section(position: int, each: Recommendation) -> Section:
    blocks: tuple[Block, ...] = (Cards(_cards(each)),)
    if each.sentences:
        blocks = (*blocks, Bullets(each.sentences))
    if each.config_lines:
        blocks = (*blocks, Code("Paste into router.toml:", each.config_lines))
    if each.tasks:
        blocks = (*blocks, _tasks(position, each.tasks))
    return Section(f"answer-{position}", f"For a {each.question}", "", blocks)


def _cards(each: Recommendation) -> tuple[Card, ...]:
    point, target = each.point, each.target
    month = () if each.usd_per_month is None else (_month(each.usd_per_month),)
    return (
        Card("Budget per request", write.money(point.budget_usd), _spread(target)),
        Card("Quality", write.quality(point.quality), f"90% interval {write.interval(*point.quality_ci90)}"),
        *month,
        Card(
            "10% more dollars buy",
            write.quality_change(more_buys(point)),
            f"or {write.money(_MORE * point.budget_usd)} more per request",
        ),
    )


def _month(usd: float) -> Card:
    return Card("A month", write.money(usd), "at the forecast traffic")


def _spread(target: TargetBudget | None) -> str:
    """How sure the budget is, where a quality was asked for."""
    if target is None:
        return "as asked for"
    if target.budget_usd is None:
        return f"no budget reaches {write.quality(target.target_quality)}"
    low, high = target.ci90
    if math.isinf(high):
        return f"90% interval from {write.money(low)}; no budget tried bounds it above"
    if math.isinf(low) or low <= 0:
        return f"90% interval up to {write.money(high)}"
    return f"90% interval {write.between(low, high, write.money)}"


def _tasks(position: int, tasks: tuple[TaskSplit, ...]) -> Table:
    models = tuple(dict.fromkeys(model for task in tasks for model in task.share))
    shares = (
        columns.shares(f"share_{model}", model, [task.share.get(model, 0.0) for task in tasks]) for model in models
    )
    return Table(
        name=f"answer-{position}-tasks",
        caption="Where the budget goes, task by task. Shaded: each model's share of the class.",
        columns=(
            columns.words("task", "Task class", [task.task for task in tasks]),
            columns.numbers("requests_share", "Requests", [task.requests_share for task in tasks], write.percent),
            columns.numbers("dollars_share", "Dollars", [task.dollars_share for task in tasks], write.percent),
            columns.money("usd_per_request", "Per request", [task.usd_per_request for task in tasks]),
            columns.quality("quality", "Quality", [task.quality for task in tasks]),
            *shares,
        ),
    )
