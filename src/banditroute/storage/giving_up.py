"""What becomes of a decision that will have no outcome."""

from __future__ import annotations

from banditroute.records import Outcome

from .protocol import Charge, Dispatch, Settlement, Store


def given_up(dispatch: Dispatch, at: float) -> Settlement:
    """The end of a call of which nobody will hear the answer: it may have been billed, so it is charged as expected.

    One that a caller was to make is charged nothing.
    """
    decision = dispatch.decision
    if dispatch.by_caller:
        return Settlement(Outcome(decision.decision_id, "", at, None, 0.0, 0.0, ok=False))
    forecast = decision.forecasts.get(decision.chosen)
    cost_usd = 0.0 if forecast is None else forecast.cost_usd
    charges = tuple(Charge(window, cost_usd) for window in dispatch.windows)
    outcome = Outcome(decision.decision_id, "", at, None, cost_usd, 0.0, ok=False, estimated=True)
    return Settlement(outcome, (), charges)


async def end_expired(store: Store, tenant: str, now: float) -> int:
    """Ends a tenant's decisions whose reservation is over, for nobody is waiting for them; how many there were.

    Raises:
        StoreError: they could not all be.
    """
    expired = [each for each in await store.unsettled() if each.decision.tenant == tenant and each.expires_at <= now]
    for dispatch in expired:
        await store.settle(given_up(dispatch, now))
    return len(expired)
