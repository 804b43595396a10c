"""Records that a store may be given, each with everything that it can have, and what makes two states the same."""

from __future__ import annotations

import math

import numpy as np

from banditroute.records import Alarm, Attempt, Context, Decision, Forecast, Outcome, ShadowDecision, Usage
from banditroute.routing.lessons import lessons_of
from banditroute.storage.protocol import Charge, Dispatch, PaceRecord, Settlement, State, Window

_MODELS = ("small", "large")
_TASKS = ("qa", "code")
DAY = Window("daily", "2026-11-25")
MONTH = Window("monthly", "2026-11")
NOON = 1_795_608_000.0


def a_dispatch(number: int, *, width: int = 3, task: str | None = None, version: str = "v1") -> Dispatch:
    """A dispatch that differs from any other number's, with everything that a dispatch can have."""
    features = tuple(math.sin(number + place) for place in range(width))
    forecasts = {model: Forecast(0.7, 0.05, 1.25e-4, 0.9, 120.5) for model in _MODELS}
    shadow = ShadowDecision("rival", "small", {"small": 0.875, "large": 0.125}, forecasts, {"paced": 0.01}, "greedy-1")
    context = Context(task or _TASKS[number % 2], features, 100 + number, version)
    decision = Decision(
        decision_id=f"decision-{number:06d}",
        at=NOON + number,
        context=context,
        chosen=_MODELS[number % 2],
        propensity=0.25,
        propensities={"small": 0.25, "large": 0.75},
        excluded={"huge": "does not take tools"},
        forecasts=forecasts,
        shadow_prices={"paced": 0.02},
        policy_version="thompson-1",
        tenant="acme",
        shadow=shadow if number % 5 == 1 else None,
    )
    return Dispatch(decision, 0.01, (DAY, MONTH), NOON + 600.0 + number, by_caller=number % 3 == 0)


def a_settlement(dispatch: Dispatch, *, ok: bool = True) -> Settlement:
    """An outcome of a dispatch, with all that follows from it."""
    number = dispatch.decision.context.input_tokens - 100
    attempts = (
        Attempt("large", 2.5, 0.001, "TimedOutError", "timed out after 2.5 s (first_token)"),
        Attempt("small", 0.3 + number % 7, 0.0001, probe=True),
    )
    outcome = Outcome(
        decision_id=dispatch.decision.decision_id,
        served="small" if ok else "",
        at=NOON + 10.0 + number,
        usage=Usage(100 + number, 5 + number % 11, 3, 2, 1) if ok else None,
        cost_usd=0.0011 + number * 1e-5,
        latency_s=2.8 + number % 7,
        ttft_s=0.2,
        ok=ok,
        attempts=attempts if ok else attempts[:1],
    )
    charges = tuple(Charge(window, outcome.cost_usd) for window in dispatch.windows)
    pace = PaceRecord("paced", -3.9 + number, 1.0, -4.0, 60.0, number)
    return Settlement(outcome, lessons_of(dispatch.decision, outcome), charges, (pace,))


def an_alarm(number: int) -> Alarm:
    """An alarm that differs from any other number's."""
    return Alarm(NOON + number, "small", "quality", ("", "code — 🦜")[number % 2], 0.9, 0.75, number, 0.999_99)


def assert_same(one: State, other: State, *, rtol: float = 1e-9) -> None:
    """Two states are the same but for rounding."""
    assert set(one.evidence) == set(other.evidence)
    for edge, sums in one.evidence.items():
        for mine, theirs in zip(sums, other.evidence[edge], strict=True):
            scale = max(float(np.abs(mine).max()), 1e-300)
            np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=rtol * scale)
    assert set(one.spent_usd) == set(other.spent_usd)
    for window, usd in one.spent_usd.items():
        np.testing.assert_allclose(usd, other.spent_usd[window], rtol=rtol)
    assert dict(one.paces) == dict(other.paces)
    assert {name: paid.requests for name, paid in one.paid.items()} == {
        name: paid.requests for name, paid in other.paid.items()
    }
    for name, paid in one.paid.items():
        np.testing.assert_allclose(paid.usd, other.paid[name].usd, rtol=rtol)
