"""What a logged decision teaches: a pure function of the log, so that rebuilding from it gives the same beliefs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from banditroute.errors import FeedbackError
from banditroute.learning.priors import TOKENS_CENTRE
from banditroute.records import Context, Decision, Feedback, Outcome

from .tasks import is_judging

SIGNALS = ("quality", "log_tokens", "log_latency")
"""What is learned of every (task class, model) edge, in the order of a lesson's values."""

_LEAST_TOKENS = 1.0
_LEAST_LATENCY_S = 1e-3
_TIMED_OUT = "TimedOutError"


class Edge(NamedTuple):
    """What one block of evidence is about: one of SIGNALS of a model in a task class, as one encoder sees prompts."""

    task: str
    model: str
    signal: str
    encoder_version: str


@dataclass(frozen=True, slots=True)
class Lesson:
    """One observation of one edge.

    Attributes:
        task: the task class; model: the model that was observed.
        encoder_version: which encoder made the features.
        x: inputs of the linear models: 1, centred log tokens, features.
        values: what was seen of each of SIGNALS; None = nothing.
        weight: how much it counts for, against 1 for an observation that is trusted in full.
    """

    task: str
    model: str
    encoder_version: str
    x: tuple[float, ...]
    values: tuple[float | None, float | None, float | None]
    weight: float = 1.0


def inputs_of(context: Context) -> tuple[float, ...]:
    """The inputs (X,) of the linear models at a context."""
    return (1.0, math.log(context.input_tokens + 1) - TOKENS_CENTRE, *context.features)


def lessons_of(decision: Decision, outcome: Outcome) -> tuple[Lesson, ...]:
    """What an outcome teaches: tokens and seconds of the model that served, and how slow those were that timed out.

    A failure never teaches quality; an estimate never teaches tokens; a cached reply teaches nothing of the model. Nor
    does a judge's call: classes hear of each other, and its terse replies are not what callers get.
    """
    if is_judging(decision.context.task):
        return ()
    lessons = [
        _lesson(decision.context, attempt.model, (None, None, log_latency(attempt.duration_s)))
        for attempt in outcome.attempts
        if attempt.failure == _TIMED_OUT
    ]
    if outcome.ok and not outcome.from_cache:
        usage = outcome.usage
        tokens = None if usage is None or outcome.estimated else log_tokens(usage.output_tokens)
        served = _lesson(decision.context, outcome.served, (None, tokens, log_latency(_served_s(outcome))))
        lessons.append(served)
    return tuple(lessons)


def lesson_of(decision: Decision, outcome: Outcome, feedback: Feedback) -> Lesson:
    """What a judgement teaches: the quality of the model that served.

    Raises:
        FeedbackError: the quality or the weight is out of range.
    """
    if not 0.0 <= feedback.weight <= 1.0:
        raise FeedbackError(f"{feedback.weight!r} is not a weight", remedy="give a number from 0 to 1", field="weight")
    values = (checked_quality(feedback.quality), None, None)
    return _lesson(decision.context, outcome.served, values, feedback.weight)


def checked_quality(quality: float) -> float:
    """The quality, if it is one.

    Raises:
        FeedbackError: it is not a number from 0 to 1.
    """
    if not isinstance(quality, int | float) or not 0.0 <= quality <= 1.0:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise FeedbackError(f"{quality!r} is not a quality", remedy="give a number from 0 to 1", field="quality")
    return quality


def log_tokens(output_tokens: float) -> float:
    """The scale on which answers' lengths are learned."""
    return math.log(max(output_tokens, _LEAST_TOKENS))


def log_latency(latency_s: float) -> float:
    """The scale on which seconds are learned."""
    return math.log(max(latency_s, _LEAST_LATENCY_S))


def _served_s(outcome: Outcome) -> float:
    answered = [attempt.duration_s for attempt in outcome.attempts if not attempt.failure]
    return answered[-1] if answered else outcome.latency_s


def _lesson(
    context: Context, model: str, values: tuple[float | None, float | None, float | None], weight: float = 1.0
) -> Lesson:
    return Lesson(context.task, model, context.encoder_version, inputs_of(context), values, weight)
