"""A router's store at one instant: what it has learned, where its budgets stand, and what is on record."""

from __future__ import annotations

from dataclasses import dataclass

from banditroute.records import Alarm
from banditroute.reports.store.history import History
from banditroute.reports.store.timeline import Moment
from banditroute.routing.accounts import Account
from banditroute.routing.budgets import PacedBudget
from banditroute.routing.insight import EdgeBelief, Prompt
from banditroute.routing.pacers import PaceRecord


@dataclass(frozen=True, slots=True)
class PaceView:
    """Where a paced budget stands.

    Attributes:
        budget: which; record: its controller, None before the first request.
        shadow_price: quality points that one budget-worth of dollars must earn.
        bucket_requests: what its bucket holds when full, in requests' worth of budget.
    """

    budget: PacedBudget
    record: PaceRecord | None
    shadow_price: float
    bucket_requests: float


@dataclass(frozen=True, slots=True)
class LiveStore:
    """All that a report of a store is made of.

    Attributes:
        name: the store's.
        at: the instant as of which it is, seconds since the epoch.
        edges: beliefs of every (task class, model) pair at `prompt`, a prompt like the newest.
        paces: paced budgets; accounts: caps.
        open_decisions: decisions without an outcome.
        history: what is on record.
        remarks: what else stands out, in plain sentences.
        notes: what the reader has to know besides, likewise.
        alarms: the newest changes of models that were noticed, newest first.
        timeline: what happened lately, oldest first.
    """

    name: str
    at: float
    edges: tuple[EdgeBelief, ...]
    prompt: Prompt
    paces: tuple[PaceView, ...]
    accounts: tuple[Account, ...]
    open_decisions: int
    history: History
    remarks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    timeline: tuple[Moment, ...] = ()
