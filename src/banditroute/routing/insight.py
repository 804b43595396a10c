"""What a decider has learned, edge by edge, for people to look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from .decider import Decider
from .lessons import SIGNALS

_SD95 = 1.96


class Prompt(NamedTuple):
    """The prompt that beliefs are about.

    Attributes:
        input_tokens: its length; features: as its encoder makes them.
    """

    input_tokens: int
    features: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class EdgeBelief:
    """What is believed of one model in one task class at some prompt.

    Attributes:
        task: the class; model: the model.
        quality: expected quality in [0, 1]; low and high bound it with 95% posterior probability.
        cost_usd: expected dollars of a request.
        latency_s: expected seconds.
        output_tokens: expected tokens of an answer.
        judged: how many judgements it rests on; answered: how many answers whose tokens were seen.
    """

    task: str
    model: str
    quality: float
    low: float
    high: float
    cost_usd: float
    latency_s: float
    output_tokens: float
    judged: int
    answered: int


def edge_beliefs(decider: Decider, prompt: Prompt) -> tuple[EdgeBelief, ...]:
    """The belief of every (task class, model) pair, classes in the order they became known.

    Raises:
        InputError: the prompt has not as many features as the decider's prompts.
    """
    return tuple(belief for row, task in enumerate(decider.tasks) for belief in _of_task(decider, prompt, row, task))


def _of_task(decider: Decider, prompt: Prompt, row: int, task: str) -> Iterator[EdgeBelief]:
    judged, answered = (decider.signals.evidence[SIGNALS.index(name)].n for name in ("quality", "log_tokens"))
    beliefs = decider.forecasts(task, prompt.input_tokens, prompt.features)
    for arm, (model, forecast) in enumerate(beliefs.items()):
        half = _SD95 * forecast.quality_sd
        yield EdgeBelief(
            task=task,
            model=model,
            quality=forecast.quality,
            low=max(forecast.quality - half, 0.0),
            high=min(forecast.quality + half, 1.0),
            cost_usd=forecast.cost_usd,
            latency_s=forecast.latency_s,
            output_tokens=forecast.output_tokens,
            judged=round(float(judged[row, arm])),
            answered=round(float(answered[row, arm])),
        )
