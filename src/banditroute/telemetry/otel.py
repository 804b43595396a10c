"""Traces and histograms for OpenTelemetry: a span for each request, one below it for each call of a model.

No prompt, no answer and no provider's words go into them.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from banditroute._version import __version__
from banditroute.config import RouterConfig
from banditroute.errors import MissingExtraError
from banditroute.observe import Attempted, Decided, Event, Settled
from banditroute.records import Attempt, Decision, Outcome, Usage

from . import conventions as named
from .callees import Attributes, Callees

try:
    from opentelemetry import metrics, trace
except ImportError as error:
    raise MissingExtraError("tracing", "otel") from error

_NAME = "banditroute"
_MOST_OPEN = 10_000  # requests; a caller may decide and never record


@dataclass(slots=True)
class _Request:
    """A request under way: its span, its task class, and the span of the call that answered, until usage is known."""

    span: trace.Span
    task: str
    answering: trace.Span | None = None
    ended_at: int = 0


class Traces:
    """An observer that makes spans and histograms by the `gen_ai` conventions; on the router's event loop.

    A request's span lies below the one that is current where the request is made.

    Args:
        config: what the router was opened with.
        tracer_provider: takes the spans; None = the one set for the process.
        meter_provider: takes the histograms; None = the one set for the process.
        clock: seconds since the epoch.

    Raises:
        MissingExtraError: when imported without opentelemetry-api.
    """

    def __init__(
        self,
        config: RouterConfig,
        *,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._callees = Callees(config)
        self._tracer = trace.get_tracer(_NAME, __version__, tracer_provider)
        self._histograms = _Histograms(metrics.get_meter(_NAME, __version__, meter_provider))
        self._open: OrderedDict[str, _Request] = OrderedDict()
        self._takes: Mapping[type[Any], Callable[[Any], None]] = {
            Decided: self._decided,
            Attempted: self._attempted,
            Settled: self._settled,
        }

    def follow(self, config: RouterConfig) -> None:
        """Describes models as another configuration does, from now on."""
        self._callees = Callees(config)

    def notify(self, event: Event) -> None:
        """Begins or ends what the event begins or ends."""
        take = self._takes.get(type(event))
        if take is not None:
            take(event)

    def _decided(self, event: Decided) -> None:
        decision = event.decision
        known = self._open.get(decision.decision_id)
        if known is not None:
            failed = ", ".join(event.fallback_from)
            known.span.add_event("fallback", {"banditroute.failed": failed, "banditroute.chosen": decision.chosen})
            return
        span = self._tracer.start_span("banditroute.request", attributes=_of(decision), start_time=_ns(decision.at))
        self._open[decision.decision_id] = _Request(span, decision.context.task)
        if len(self._open) > _MOST_OPEN:
            _, oldest = self._open.popitem(last=False)
            oldest.span.end()

    def _attempted(self, event: Attempted) -> None:
        request, attempt = self._open.get(event.decision_id), event.attempt
        if request is None:  # it lost a race against a call that has answered
            return
        now, callee = self._clock(), self._callees.of(attempt.model, request.task)
        self._histograms.took(attempt, callee)
        span = self._tracer.start_span(
            f"{callee[named.OPERATION]} {callee[named.REQUEST_MODEL]}",
            context=trace.set_span_in_context(request.span),
            kind=trace.SpanKind.CLIENT,
            attributes=callee | _of_attempt(attempt),
            start_time=_ns(now - attempt.duration_s),
        )
        if attempt.failure:
            span.set_status(trace.StatusCode.ERROR)
            span.end(_ns(now))
        else:
            request.answering, request.ended_at = span, _ns(now)

    def _settled(self, event: Settled) -> None:
        outcome = event.outcome
        request = self._open.pop(outcome.decision_id, None)
        if request is None:  # another process began it
            return
        if request.answering is not None:
            if outcome.usage is not None and not outcome.estimated:
                request.answering.set_attributes(_of_usage(outcome.usage))
                self._histograms.used(outcome.usage, self._callees.of(outcome.served, request.task))
            request.answering.end(request.ended_at)
        request.span.set_attributes(_of_outcome(outcome))
        if not outcome.ok:
            request.span.set_status(trace.StatusCode.ERROR)
        request.span.end(_ns(outcome.at))


class _Histograms:
    """The conventions' histograms."""

    def __init__(self, meter: metrics.Meter) -> None:
        self._duration = meter.create_histogram(
            named.DURATION, "s", "GenAI operation duration.", explicit_bucket_boundaries_advisory=named.DURATION_BOUNDS
        )
        self._first = meter.create_histogram(
            named.TIME_TO_FIRST_CHUNK,
            "s",
            "Time to receive the first chunk.",
            explicit_bucket_boundaries_advisory=named.DURATION_BOUNDS,
        )
        self._tokens = meter.create_histogram(
            named.TOKEN_USAGE,
            "{token}",
            "Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=named.TOKEN_BOUNDS,
        )

    def took(self, attempt: Attempt, callee: Attributes) -> None:
        """Records the seconds of a call."""
        failed = {named.ERROR: _error(attempt)} if attempt.failure else {}
        self._duration.record(attempt.duration_s, callee | failed)
        if attempt.ttft_s is not None:
            self._first.record(attempt.ttft_s, callee)

    def used(self, usage: Usage, callee: Attributes) -> None:
        """Records the tokens of an answer."""
        self._tokens.record(usage.input_tokens, {**callee, named.TOKEN_TYPE: "input"})
        self._tokens.record(usage.output_tokens, {**callee, named.TOKEN_TYPE: "output"})


def _of(decision: Decision) -> Attributes:
    return {
        "banditroute.decision_id": decision.decision_id,
        "banditroute.task": decision.context.task,
        "banditroute.chosen": decision.chosen,
        "banditroute.propensity": decision.propensity,
        "banditroute.pinned": decision.pinned,
        "banditroute.tenant": decision.tenant,
    }


def _of_attempt(attempt: Attempt) -> Attributes:
    found: Attributes = {
        "banditroute.model": attempt.model,
        "banditroute.hedge": attempt.hedge,
        "banditroute.probe": attempt.probe,
        "banditroute.cost_usd": attempt.cost_usd,
    }
    if attempt.ttft_s is not None:
        found[named.FIRST_CHUNK] = attempt.ttft_s
    return found | {named.ERROR: _error(attempt)} if attempt.failure else found


def _of_usage(usage: Usage) -> Attributes:
    return {
        named.INPUT_TOKENS: usage.input_tokens,
        named.OUTPUT_TOKENS: usage.output_tokens,
        named.CACHE_READ_TOKENS: usage.cached_input_tokens,
        named.CACHE_WRITE_TOKENS: usage.cache_write_tokens,
        named.REASONING_TOKENS: usage.reasoning_tokens,
    }


def _of_outcome(outcome: Outcome) -> Attributes:
    found: Attributes = {"banditroute.served": outcome.served, "banditroute.cost_usd": outcome.cost_usd}
    failed = [attempt for attempt in outcome.attempts if attempt.failure]
    return found | {named.ERROR: _error(failed[-1])} if failed and not outcome.ok else found


def _error(attempt: Attempt) -> str:
    """The name of the failure, without the time limit that may stand behind it."""
    return attempt.failure.partition(" ")[0]


def _ns(at: float) -> int:
    return int(at * 1e9)
