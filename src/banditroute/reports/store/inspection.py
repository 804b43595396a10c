"""What there is to see of a router's store at one instant: beliefs, budgets, decisions."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from banditroute.assemble import decider_of
from banditroute.config import RouterConfig
from banditroute.records import Alarm
from banditroute.reports.store.guards import GuardView, guard_views
from banditroute.reports.store.live import PaceView
from banditroute.reports.store.shadow import ShadowView, shadow_of
from banditroute.reports.store.sources import SourceView, sources_of
from banditroute.routing.accounts import Account
from banditroute.routing.budgets import Cap, PacedBudget
from banditroute.routing.decider import Decider
from banditroute.routing.insight import EdgeBelief, Prompt, edge_beliefs
from banditroute.routing.ledger import Ledger, Reservation
from banditroute.routing.lessons import SIGNALS
from banditroute.routing.pacers import CapOutlook
from banditroute.routing.promises import Kept, kept_by_record
from banditroute.routing.rollout import standings_of
from banditroute.routing.standings import Standing
from banditroute.routing.tasks import is_judging
from banditroute.storage.protocol import Dispatch, State, StoreReader, Trail

_TYPICAL_TOKENS = 500
_SAMPLE = 200  # decisions that tell what a prompt is like
_ALARMS = 20
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
        newest: the decisions that were looked at, newest first.
        shadow: what it would have done; None = the configuration has none.
        outlooks: what paced caps expect of the rest of their windows.
        guards: those that are on.
        newcomers: models that came when others were in use, and are not settled in yet.
        promises: how each is kept so far.
        alarms: the newest changes of models that were noticed, newest first.
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
    outlooks: tuple[CapOutlook, ...] = ()
    guards: tuple[GuardView, ...] = ()
    newcomers: tuple[Standing, ...] = ()
    promises: tuple[Kept, ...] = ()
    alarms: tuple[Alarm, ...] = ()


async def inspected(plan: RouterConfig, store: StoreReader, *, now: float, last: int = 0) -> Inspection:
    """What there is to see.

    Args:
        plan: the router's configuration.
        store: its store, open.
        now: the instant that the caps' windows are to be as of.
        last: how many of the newest decisions to look at, if more than 1,000.

    Raises:
        ConfigError: the saved policy that it begins with cannot be used.
        StoreError: the store cannot be read.
    """
    state, unsettled = await store.state(), await store.unsettled()
    newest = await store.recent(max(last, _JUDGED))
    decider = decider_of(plan)
    decider.restore(state.evidence, state.paces.values())
    ledger = _ledger(plan, state, unsettled, now)
    outlooks = decider.pacers.outlooks(ledger, now)
    prompt = _typical(newest[:_SAMPLE], decider.beliefs.width)
    return Inspection(
        at=now,
        edges=edge_beliefs(decider, prompt),
        prompt=prompt,
        judged_elsewhere=_judged_elsewhere(state, decider),
        paces=_paces(plan, decider, state),
        accounts=ledger.accounts(now),
        open_decisions=len(unsettled),
        sources=sources_of(newest),
        newest=tuple(newest),
        shadow=shadow_of(plan, newest),
        outlooks=outlooks,
        guards=guard_views(plan.guard, await store.switches(), state.paces),
        newcomers=standings_of(decider.steering),
        promises=kept_by_record(plan.promises, state.paces.values()),
        alarms=tuple(await store.alarms(_ALARMS)),
    )


def _typical(newest: Sequence[Trail], width: int) -> Prompt:
    """A prompt of the median length and the mean features of the newest; what judges are asked is none."""
    contexts = [each.decision.context for each in newest if not is_judging(each.decision.context.task)]
    if not contexts:
        return Prompt(_TYPICAL_TOKENS, (0.0,) * width)
    alike = [context.features for context in contexts if len(context.features) == width]
    features = tuple(map(statistics.fmean, zip(*alike, strict=True))) if alike else (0.0,) * width
    return Prompt(round(statistics.median(context.input_tokens for context in contexts)), features)


def _judged_elsewhere(state: State, decider: Decider) -> int:
    """Judgements on record less those that the decider took up; rounded last, since weights may be fractions."""
    recorded = sum(float(sums.n) for edge, sums in state.evidence.items() if edge.signal == "quality")
    return max(round(recorded - float(decider.signals.evidence[SIGNALS.index("quality")].n.sum())), 0)


def _paces(plan: RouterConfig, decider: Decider, state: State) -> tuple[PaceView, ...]:
    prices, bucket = decider.shadow_prices, plan.routing.policy.pacing.bucket_requests
    return tuple(
        PaceView(budget, state.paces.get(budget.name), prices[budget.name], bucket)
        for budget in plan.budgets
        if isinstance(budget, PacedBudget)
    )


def _ledger(plan: RouterConfig, state: State, unsettled: Iterable[Dispatch], now: float) -> Ledger:
    """Every cap with what is spent and what open decisions hold, as a router would take it up now."""
    ledger = Ledger([budget for budget in plan.budgets if isinstance(budget, Cap)])
    ledger.restore(state.spent_usd)
    for each in unsettled:
        if each.expires_at > now:
            ledger.hold(Reservation(each.decision.decision_id, each.reserved_usd, each.windows, each.expires_at))
    return ledger
