"""What is told, from when on, and where to: frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["budget", "forecast", "provider", "drift", "newcomer", "feedback", "store", "reload"]
Place = Literal["log", "dashboard", "webhook"]

KINDS: tuple[Kind, ...] = ("budget", "forecast", "provider", "drift", "newcomer", "feedback", "store", "reload")
PLACES: tuple[Place, ...] = ("log", "dashboard", "webhook")


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Where alerts are posted.

    Attributes:
        url: where to; empty = url_env holds it, or they are posted nowhere.
        url_env: the environment variable that holds the URL, where that is a secret.
        secret_env: the environment variable that holds what posts are signed with; empty = they are not signed.
        timeout_s: seconds for one attempt.
        attempts: how often a post is tried.
    """

    url: str = ""
    url_env: str = ""
    secret_env: str = ""
    timeout_s: float = 5.0
    attempts: int = 5


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """What is told, and where.

    Attributes:
        kinds: what is told; the rest is only on record.
        to: where.
        budget_marks: shares of a cap, ascending.
        forecast_margin: share of a cap by which its window is expected to go beyond it.
        hold_s: seconds for which a forecast has to stand, and after which one that stands no longer is over.
        down_s: seconds for which a model cannot be called until that is told.
        over_s: seconds for which it can be again until that is told; so with a store that failed.
        silent_times: times its usual gap that a source or task class gives no judgement, while requests go on.
        silent_least_s: seconds that such a silence lasts at least.
        repeat_s: how often something that goes on is told again, and how often the same may happen and be told; 0 = it
            is never told again.
        webhook: where they are posted.
    """

    kinds: frozenset[Kind] = frozenset(KINDS)
    to: frozenset[Place] = frozenset(PLACES)
    budget_marks: tuple[float, ...] = (0.5, 0.8, 1.0)
    forecast_margin: float = 0.2
    hold_s: float = 900.0
    down_s: float = 30.0
    over_s: float = 60.0
    silent_times: float = 10.0
    silent_least_s: float = 600.0
    repeat_s: float = 86_400.0
    webhook: WebhookSettings = WebhookSettings()
