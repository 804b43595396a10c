"""What there is to see of a router's store: beliefs, budgets, decisions."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from banditroute.assemble import decider_of
from banditroute.cli.inspection_shadow import ShadowView, shadow_of
from banditroute.cli.inspection_sources import SourceView, sources_of
from banditroute.config import RouterConfig
from banditroute.errors import InputError
from banditroute.reports.store.live import PaceView as PaceView
from banditroute.routing.accounts import Account
from banditroute.routing.budgets import Cap, PacedBudget
from banditroute.routing.decider import Decider
from banditroute.routing.insight import EdgeBelief, Prompt, edge_beliefs
from banditroute.routing.ledger import Ledger, Reservation
from banditroute.routing.tasks import is_judging
from banditroute.storage.protocol import Dispatch, State, StoreReader, Trail

_TYPICAL_TOKENS = 500
_SAMPLE = 200  # decisions that tell what a prompt is like
_JUDGED = 1_000  # decisions whose judgements are looked at


@dataclass(frozen=True, slots=True)
class Inspection:
    """All of it.

    Attributes:
        at: the instant as of which it is, seconds since the epoch.
        edges: beliefs of every (task class, model) pair at `prompt`.
        prompt: one like the newest.
        judged_elsewhere: judgements that these beliefs leave out: of models that the configuration no longer has, or
            with features that it does not make.
        paces: paced budgets; accounts: caps.
        open_decisions: decisions without an outcome.
        sources: who judged the newest decisions.
        newest: decisions, newest first.
        shadow: what it would have done; None = the configuration has none.
    """

    at: float
    edges: tuple[EdgeBelief, ...]
    prompt: Prompt
    judged_elsewhere: int
    paces: tuple[PaceView, ...]
    accounts: tuple[Account, ...]
    open_decisions: int
    sources: tuple[SourceView, ...]
    newest: tuple[Trail, ...]
    shadow: ShadowView | None = None


async def inspected(plan: RouterConfig, store: StoreReader, *, now: float, task: str | None, last: int) -> Inspection:
    """What there is to see.

    Args:
        plan: the router's configuration.
        store: its store, open.
        now: the instant that the caps' windows are to be as of.
        task: only this class; None = all.
        last: how many decisions.

    Raises:
        InputError: nothing is known of the task class.
        StoreError: the store cannot be read.
    """
    state, unsettled = await store.state(), await store.unsettled()
    newest = await store.recent(max(last, _JUDGED))
    decider = decider_of(plan)
    decider.restore(state.evidence, state.paces.values())
    if task is not None and task not in decider.tasks and not is_judging(task):
        known = ", ".join(decider.tasks) or "none yet"
        raise InputError(f"nothing is learned of a class {task!r}", remedy=f"known: {known}", field="--task")
    prompt = _typical(newest[:_SAMPLE], decider.width)
    edges = edge_beliefs(decider, prompt)
    return Inspection(
        at=now,
        edges=tuple(edge for edge in edges if task in (None, edge.task)),
        prompt=prompt,
        judged_elsewhere=_judged(state) - sum(edge.judged for edge in edges),
        paces=_paces(plan, decider, state),
        accounts=_accounts(plan, state, unsettled, now),
        open_decisions=len(unsettled),
        sources=sources_of(newest),
        newest=tuple(trail for trail in newest if task in (None, trail.decision.context.task))[:last],
        shadow=shadow_of(plan, newest),
    )


def mean_quality(trail: Trail) -> float | None:
    """The mean of a decision's judgements; None where there is none."""
    return statistics.fmean(each.quality for each in trail.feedback) if trail.feedback else None


def failed_attempts(trail: Trail) -> int:
    """How many calls failed on the decision's way to its end."""
    return 0 if trail.outcome is None else sum(bool(attempt.failure) for attempt in trail.outcome.attempts)


def _typical(newest: Sequence[Trail], width: int) -> Prompt:
    """A prompt of the median length and the mean features of the newest; what judges are asked is none."""
    contexts = [each.decision.context for each in newest if not is_judging(each.decision.context.task)]
    if not contexts:
        return Prompt(_TYPICAL_TOKENS, (0.0,) * width)
    alike = [context.features for context in contexts if len(context.features) == width]
    features = tuple(map(statistics.fmean, zip(*alike, strict=True))) if alike else (0.0,) * width
    return Prompt(round(statistics.median(context.input_tokens for context in contexts)), features)


def _judged(state: State) -> int:
    return round(sum(float(sums.n) for edge, sums in state.evidence.items() if edge.signal == "quality"))


def _paces(plan: RouterConfig, decider: Decider, state: State) -> tuple[PaceView, ...]:
    prices, bucket = decider.shadow_prices, plan.routing.policy.pacing.bucket_requests
    return tuple(
        PaceView(budget, state.paces.get(budget.name), prices[budget.name], bucket)
        for budget in plan.budgets
        if isinstance(budget, PacedBudget)
    )


def _accounts(plan: RouterConfig, state: State, unsettled: Iterable[Dispatch], now: float) -> tuple[Account, ...]:
    """Every cap with what is spent and what open decisions hold, as a router would take it up now."""
    ledger = Ledger([budget for budget in plan.budgets if isinstance(budget, Cap)])
    ledger.restore(state.spent_usd)
    for each in unsettled:
        if each.expires_at > now:
            ledger.hold(Reservation(each.decision.decision_id, each.reserved_usd, each.windows, each.expires_at))
    return ledger.accounts(now)
