"""What a logged decision teaches: a pure function of the log, so that rebuilding from it gives the same beliefs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.errors import FeedbackError, InputError
from banditroute.learning import load
from banditroute.learning.priors import TOKENS_CENTRE
from banditroute.records import Attempt, Context, Decision, Feedback, Outcome

from .tasks import is_judging

SIGNALS = ("quality", "log_tokens", "log_latency", "log_ttft")
"""What is learned of every (task class, model) edge, in the order of a lesson's values."""

TIMES = SIGNALS[2:]
"""Those that load slows: the whole answer and its first token."""

IN_FLIGHT = "in-flight"
"""The `encoder_version` of lessons whose inputs say how busy the model was, and nothing of the prompt."""

Values = tuple[float | None, float | None, float | None, float | None]

_LEAST_TOKENS = 1.0
_LEAST_LATENCY_S = 1e-3
_TIMED_OUT = "TimedOutError"


class Edge(NamedTuple):
    """What one block of evidence is about: one of SIGNALS of a model in a task class, as one encoder sees prompts.

    Under IN_FLIGHT stand seconds as they were, by how busy the model was; elsewhere those that it would need when idle.
    """

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
    values: Values
    weight: float = 1.0

    @property
    def times(self) -> tuple[float | None, float | None]:
        """What was seen of TIMES."""
        return self.values[2:]


def inputs_of(context: Context) -> tuple[float, ...]:
    """The inputs (X,) of the linear models at a context."""
    return (1.0, math.log(context.input_tokens + 1) - TOKENS_CENTRE, *context.features)


def tokens_of(x: NDArray[np.float64]) -> int:
    """The length of the prompt that has inputs x (X,)."""
    return round(math.exp(float(x[1]) + TOKENS_CENTRE) - 1.0)


def lessons_of(decision: Decision, outcome: Outcome) -> tuple[Lesson, ...]:
    """What an outcome teaches: tokens and seconds of the model that served, and how slow those were that timed out.

    A failure never teaches quality; an estimate never teaches tokens; a cached reply teaches nothing of the model. Nor
    does a judge's call: classes hear of each other, and its terse replies are not what callers get.

    What load is taken to have added to the seconds is taken off them. How long calls took all the same, by how busy
    their model was, is a lesson of its own.
    """
    return lessons_in(decision.context, outcome)


def lessons_in(context: Context, outcome: Outcome) -> tuple[Lesson, ...]:
    """The same, where no more is at hand of the decision than its context."""
    if is_judging(context.task):
        return ()
    lessons: list[Lesson] = []
    for attempt in outcome.attempts:
        if attempt.failure == _TIMED_OUT:
            lessons.append(_lesson(context, attempt.model, (None, None, _idle(attempt), None)))
            lessons += _beside_others(context, attempt)
    if outcome.ok and not outcome.from_cache:
        usage, served = outcome.usage, _served(outcome)
        tokens = None if usage is None or outcome.estimated else log_tokens(usage.output_tokens)
        ttft = None if served.ttft_s is None else log_latency(served.ttft_s) - math.log(served.ttft_slowdown)
        lessons.append(_lesson(context, outcome.served, (None, tokens, _idle(served), ttft)))
        lessons += _beside_others(context, served)
    return tuple(lessons)


def lesson_of(decision: Decision, outcome: Outcome, feedback: Feedback) -> Lesson:
    """What a judgement teaches: the quality of the model that served.

    Raises:
        FeedbackError: the quality or the weight is out of range.
    """
    return lesson_in(decision.context, outcome, feedback)


def lesson_in(context: Context, outcome: Outcome, feedback: Feedback) -> Lesson:
    """The same, where no more is at hand of the decision than its context.

    Raises:
        FeedbackError: the quality or the weight is out of range.
    """
    if not 0.0 <= feedback.weight <= 1.0:
        raise FeedbackError(f"{feedback.weight!r} is not a weight", remedy="give a number from 0 to 1", field="weight")
    values = (checked_quality(feedback.quality), None, None, None)
    return _lesson(context, outcome.served, values, feedback.weight)


def shown(
    context: Context,
    model: str,
    encoder_version: str,
    *,
    quality: float | None = None,
    output_tokens: float | None = None,
    latency_s: float | None = None,
    ttft_s: float | None = None,
) -> Lesson:
    """What a model teaches that showed so much, None = not known.

    Raises:
        FeedbackError: the quality is out of range.
        InputError: another value is.
    """
    values = (
        None if quality is None else checked_quality(quality),
        None if output_tokens is None else log_tokens(_checked(output_tokens, "output_tokens")),
        None if latency_s is None else log_latency(_checked(latency_s, "latency_s")),
        None if ttft_s is None else log_latency(_checked(ttft_s, "ttft_s")),
    )
    return Lesson(context.task, model, encoder_version, inputs_of(context), values)


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


@lru_cache(maxsize=512)
def load_inputs(in_flight: int) -> tuple[float, ...]:
    """The inputs of what is learned of calls that begin beside so many others."""
    return tuple(load.hats(float(in_flight)).tolist())


def _checked(amount: float, field: str) -> float:
    if not 0.0 <= amount < math.inf:
        raise InputError(f"{amount} is not an amount", remedy="give a number from 0 up", field=field)
    return amount


def _served(outcome: Outcome) -> Attempt:
    """The call that brought the answer; where none is on record, one as long as the whole request."""
    answered = [attempt for attempt in outcome.attempts if not attempt.failure]
    return answered[-1] if answered else Attempt(outcome.served, outcome.latency_s)


def _idle(attempt: Attempt) -> float:
    """Log of the seconds that a call would have taken, had its model not been busy."""
    return log_latency(attempt.duration_s) - math.log(attempt.slowdown)


def _beside_others(context: Context, attempt: Attempt) -> list[Lesson]:
    """How long a call took, by how busy its model was; nothing where nobody counted."""
    if attempt.in_flight is None:
        return []
    times = log_latency(attempt.duration_s), None if attempt.ttft_s is None else log_latency(attempt.ttft_s)
    return [Lesson(context.task, attempt.model, IN_FLIGHT, load_inputs(attempt.in_flight), (None, None, *times))]


def _lesson(context: Context, model: str, values: Values, weight: float = 1.0) -> Lesson:
    return Lesson(context.task, model, context.encoder_version, inputs_of(context), values, weight)
