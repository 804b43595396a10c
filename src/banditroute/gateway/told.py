"""What every answer tells of its decision: the x-banditroute headers, and the same for the log."""

from __future__ import annotations

import time

from multidict import CIMultiDict

from banditroute.gateway.calls import Call, header_text
from banditroute.records import Answer, Decision, Embedded
from banditroute.routed_stream import RoutedStream
from banditroute.routing.tasks import EMBEDDINGS


def tell_answer(call: Call, answer: Answer) -> None:
    """Puts what is known of a whole answer into its headers."""
    _tell_decision(call, answer.decision, answer.model)
    _tell_cost(call, answer.cost_usd)
    _tell_overhead(call, sum(attempt.duration_s for attempt in answer.outcome.attempts))


def tell_stream(call: Call, stream: RoutedStream) -> None:
    """Puts what is known of a stream at its first content into its headers."""
    _tell_decision(call, stream.decision, stream.model or stream.decision.chosen)
    _tell_overhead(call, stream.ttft_s or 0.0)


def tell_embedded(call: Call, embedded: Embedded) -> None:
    """Puts what is known of embeddings into their headers."""
    _tell(call, embedded.decision_id, embedded.model, EMBEDDINGS)
    _tell_cost(call, embedded.cost_usd)
    _tell_overhead(call, embedded.latency_s)


def _tell_decision(call: Call, decision: Decision, model: str) -> None:
    headers = _tell(call, decision.decision_id, model, decision.context.task)
    if not decision.pinned:
        headers["x-banditroute-propensity"] = f"{decision.propensity:.6g}"


def _tell(call: Call, decision_id: str, model: str, task: str) -> CIMultiDict[str]:
    call.decision_id, call.model, call.task = decision_id, model, task
    headers = call.headers
    headers["x-banditroute-decision-id"] = decision_id
    headers["x-banditroute-model"] = header_text(model)
    headers["x-banditroute-task"] = header_text(task)
    return headers


def _tell_cost(call: Call, cost_usd: float) -> None:
    call.cost_usd = cost_usd
    call.headers["x-banditroute-cost-usd"] = f"{cost_usd:.9f}"


def _tell_overhead(call: Call, waited_s: float) -> None:
    """Everything but the wait for providers, from the head of the request to now."""
    spent_s = time.monotonic() - call.began - waited_s
    call.headers["x-banditroute-overhead-ms"] = f"{max(spent_s, 0.0) * 1e3:.3f}"
