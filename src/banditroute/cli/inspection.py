"""What there is to see of a router's store: beliefs, budgets, decisions."""

import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from banditroute.assemble import decider_of
from banditroute.config import RouterConfig
from banditroute.errors import InputError
from banditroute.routing.accounts import Account
from banditroute.routing.budgets import Cap, PacedBudget
from banditroute.routing.decider import Decider
from banditroute.routing.insight import EdgeBelief, edge_beliefs
from banditroute.routing.ledger import Ledger, Reservation
from banditroute.routing.pacers import PaceRecord
from banditroute.storage.protocol import Dispatch, State, Store, Trail

_TYPICAL_TOKENS = 500
_SAMPLE = 200


@dataclass(frozen=True, slots=True)
class PaceView:
    """Where a paced budget stands.

    Attributes:
        budget: which; record: its controller, None before the first request.
        shadow_price: quality points that one budget-worth of dollars must earn.
    """

    budget: PacedBudget
    record: PaceRecord | None
    shadow_price: float


@dataclass(frozen=True, slots=True)
class Inspection:
    """All of it.

    Attributes:
        edges: beliefs of every (task class, model) pair at a prompt of `input_tokens`.
        input_tokens: the median length of the newest prompts.
        paces: paced budgets; accounts: caps.
        open_decisions: decisions without an outcome.
        newest: decisions, newest first.
    """

    edges: tuple[EdgeBelief, ...]
    input_tokens: int
    paces: tuple[PaceView, ...]
    accounts: tuple[Account, ...]
    open_decisions: int
    newest: tuple[Trail, ...]


async def inspected(plan: RouterConfig, store: Store, *, task: str | None, last: int) -> Inspection:
    """What there is to see.

    Raises:
        InputError: nothing is known of the task class.
        StoreError: the store cannot be read.
    """
    state, unsettled = await store.state(), await store.unsettled()
    newest = await store.recent(max(last, _SAMPLE))
    decider = decider_of(plan)
    decider.restore(state.evidence, state.paces.values())
    if task is not None and task not in decider.tasks:
        known = ", ".join(decider.tasks) or "none yet"
        raise InputError(f"nothing is learned of a class {task!r}", remedy=f"known: {known}", field="--task")
    tokens = _typical_tokens(newest)
    return Inspection(
        edges=tuple(edge for edge in edge_beliefs(decider, tokens) if task in (None, edge.task)),
        input_tokens=tokens,
        paces=_paces(plan, decider, state),
        accounts=_accounts(plan, state, unsettled),
        open_decisions=len(unsettled),
        newest=tuple(trail for trail in newest if task in (None, trail.decision.context.task))[:last],
    )


def when(at: float) -> str:
    """An instant as people read it, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def mean_quality(trail: Trail) -> float | None:
    """The mean of a decision's judgements; None where there is none."""
    return statistics.fmean(each.quality for each in trail.feedback) if trail.feedback else None


def _typical_tokens(newest: list[Trail]) -> int:
    lengths = [trail.decision.context.input_tokens for trail in newest]
    return round(statistics.median(lengths)) if lengths else _TYPICAL_TOKENS


def _paces(plan: RouterConfig, decider: Decider, state: State) -> tuple[PaceView, ...]:
    prices = decider.shadow_prices
    return tuple(
        PaceView(budget, state.paces.get(budget.name), prices[budget.name])
        for budget in plan.budgets
        if isinstance(budget, PacedBudget)
    )


def _accounts(plan: RouterConfig, state: State, unsettled: list[Dispatch]) -> tuple[Account, ...]:
    """Every cap with what is spent and what open decisions hold, as a router would take it up now."""
    now = time.time()
    ledger = Ledger([budget for budget in plan.budgets if isinstance(budget, Cap)])
    ledger.restore(state.spent_usd)
    for each in unsettled:
        if each.expires_at > now:
            ledger.hold(Reservation(each.decision.decision_id, each.reserved_usd, each.windows, each.expires_at))
    return ledger.accounts(now)
