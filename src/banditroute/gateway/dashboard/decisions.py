"""The newest decisions as the dashboard lists them; why each was made is asked of /v1/decisions."""

from __future__ import annotations

from dataclasses import dataclass

from banditroute.gateway.dashboard.history import History, Recent


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """One decision.

    Attributes:
        decision_id, at, task, tenant, chosen: as in the decision; propensity: None where the caller named the model.
        served: what answered, empty where nothing did; calls: how many were made for it.
        cost_usd, latency_s: as in its outcome.
        quality: its first judgement; None = nobody judged it yet.
    """

    decision_id: str
    at: float
    task: str
    tenant: str
    chosen: str
    propensity: float | None
    served: str
    calls: int
    cost_usd: float
    latency_s: float
    quality: float | None


def decision_lines(history: History) -> list[DecisionLine]:
    """The newest decisions, newest first."""
    return [_line(each) for each in reversed(history.decisions.values())]


def _line(recent: Recent) -> DecisionLine:
    decision, outcome = recent.decision, recent.outcome
    return DecisionLine(
        decision.decision_id,
        decision.at,
        decision.context.task,
        decision.tenant,
        decision.chosen,
        None if decision.pinned else decision.propensity,
        outcome.served,
        len(outcome.attempts),
        outcome.cost_usd,
        outcome.latency_s,
        recent.quality,
    )
