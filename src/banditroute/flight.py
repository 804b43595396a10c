"""One request from its decision to its outcome: who is called, what each call holds and costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from banditroute.delivery.dispatch import Answered, Call
from banditroute.errors import CutStreamError, NoEligibleModelError, ProviderError, TimedOutError
from banditroute.observe import Attempted, Decided, Observer
from banditroute.records import Attempt, Completion, Context, Decision, Demand, Outcome, Usage
from banditroute.routing.accounts import Account
from banditroute.routing.budgets import Charge
from banditroute.routing.catalog import Model
from banditroute.routing.decider import Decider
from banditroute.routing.ledger import Ledger, Reservation
from banditroute.routing.sessions import Stay

_NOT_THE_MODELS_PHASES = frozenset({"deadline", "queue", "connect"})  # the caller's own, ours, the network's
_UNBILLED_PHASES = frozenset({"connect", "queue"})  # nothing had been asked yet


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the policy sees it.

    Attributes:
        context: what is known of the prompt; demand: what it needs of a model.
        tenant: on whose behalf.
        stay: what leaving the conversation's model would lose.
        pinned: the caller named the model.
        session_id: names its conversation, if any; request_id: the request itself, in its caller's own words.
    """

    context: Context
    demand: Demand
    tenant: str = ""
    stay: Stay | None = None
    pinned: bool = False
    session_id: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Tower:
    """What every flight needs: who decides, who keeps the caps, what is unavailable, clock, chance and names.

    Attributes:
        unavailable: at an instant, the models that cannot be called, each with its reason.
        clock: seconds since the epoch.
        uniform: chance, uniform in [0, 1).
        new_id: a unique name for a decision made at an instant.
    """

    decider: Decider
    ledger: Ledger
    unavailable: Callable[[float], Mapping[str, str]]
    clock: Callable[[], float]
    uniform: Callable[[], float]
    new_id: Callable[[float], str]
    observer: Observer


class RequestFlight:
    """A request on its way; it is the `Flight` that a dispatcher serves.

    Args:
        tower: what every flight needs.
        asked: the request.
        decision: the first decision.
        deadline: the instant of the loop's clock at which its time is up.
        expires_at: instant at which its reservations end by themselves, seconds since the epoch.
        force: hold dollars even where a cap that allows it has none left.

    Raises:
        BudgetExceededError: a cap has too little left for the first call.
    """

    def __init__(
        self, tower: Tower, asked: Asked, decision: Decision, deadline: float, expires_at: float, *, force: bool = False
    ) -> None:
        self._tower = tower
        self._asked = asked
        self.decision = decision
        self.deadline = deadline
        self.expires_at = expires_at
        self._force = force
        self._catalog = tower.decider.catalog
        self._holds: dict[str, Reservation] = {}
        self._load = tower.decider.beliefs.load
        self._beside: dict[str, int] = {}  # calls that ours of a model began beside, while it is under way
        self._held = 0
        self._attempts: list[Attempt] = []
        self._charges: list[Charge] = []
        self._tried: list[str] = []
        self._estimated = False
        self._forecasts = dict(decision.forecasts)
        self.expected_usd: float | None = None  # what the paced budgets were told to expect of it
        self.first_hold = self._hold(decision.chosen)

    @property
    def decision_id(self) -> str:
        """The decision's."""
        return self.decision.decision_id

    @property
    def asked(self) -> Asked:
        """The request, as the policy sees it."""
        return self._asked

    @property
    def chosen(self) -> str:
        """The model that was drawn."""
        return self.decision.chosen

    @property
    def charges(self) -> tuple[Charge, ...]:
        """What it has spent of the caps so far."""
        return tuple(self._charges)

    def fallback(self, failed: Mapping[str, str]) -> str | None:
        """The model drawn by the same rule from those that have not failed; None where nobody is left.

        Drawing again from what remains is taking the next best of sampled utilities, with the budgets as they are now.
        """
        tower, asked, now = self._tower, self._asked, self._tower.clock()
        context, tenant = asked.context, asked.tenant
        try:
            decision = tower.decider.decide(
                context,
                asked.demand,
                decision_id=self.decision_id,
                now=now,
                u=tower.uniform(),
                level_usd=self._level_usd(now),
                unavailable={**tower.unavailable(now), **failed},
                tenant=tenant,
                stay=asked.stay,
                cheapest=self._force,
            )
        except NoEligibleModelError:
            return None
        self._forecasts.update(decision.forecasts)
        tower.observer.notify(Decided(decision, tuple(self._tried)))
        return decision.chosen

    def calling(self, model: str) -> None:
        """Holds what a call may cost; the first call's dollars are held since the decision."""
        self._tried.append(model)
        if model not in self._holds:
            self._hold(model)
        self._beside[model] = self._load.began(model)

    def ended(self, call: Call) -> None:
        """Settles a call that brought no answer."""
        self.lost(call, None)

    def lost(self, call: Call, partial: Completion | None) -> None:
        """Settles a call that brought no whole answer, of which some may have arrived."""
        cost_usd = self._lost_usd(call, partial)
        self._estimated = self._estimated or cost_usd > 0
        error = call.error
        failure = "Abandoned" if error is None else _failure(error)
        problem = "given up before its end" if error is None else str(error)
        attempt = Attempt(call.model, call.duration_s, cost_usd, failure, problem, call.probe, call.hedge)
        self._close(call.model, attempt)

    def landed(
        self, answered: Answered[object], cost_usd: float, duration_s: float, ttft_s: float | None = None
    ) -> None:
        """Settles the call that brought the answer, at what it cost."""
        probe, hedge = answered.probe, answered.hedge
        attempt = Attempt(answered.model, duration_s, cost_usd, probe=probe, hedge=hedge, ttft_s=ttft_s)
        self._close(answered.model, attempt)

    def outcome(
        self,
        *,
        latency_s: float,
        served: str = "",
        usage: Usage | None = None,
        ttft_s: float | None = None,
        estimated: bool = False,
        from_cache: bool = False,
        billed_usd: float | None = None,
    ) -> Outcome:
        """What came of it, whatever dollars were still held let go; ok where some model served."""
        self.let_go()
        return Outcome(
            decision_id=self.decision_id,
            served=served,
            at=self._tower.clock(),
            usage=usage,
            cost_usd=sum(attempt.cost_usd for attempt in self._attempts),
            latency_s=latency_s,
            ttft_s=ttft_s,
            ok=bool(served),
            estimated=estimated or (not served and self._estimated),
            from_cache=from_cache,
            attempts=tuple(self._attempts),
            billed_usd=billed_usd,
        )

    def let_go(self) -> None:
        """Holds no dollars any more, and has no call under way."""
        for model, others in self._beside.items():
            self._load.ended(model, others)
        self._beside.clear()
        for reservation in self._holds.values():
            self._tower.ledger.release(reservation.reservation_id)
        self._holds.clear()

    def cost_usd(self, model: str, completion: Completion) -> tuple[float, Usage, bool]:
        """Dollars and tokens of an answer, and whether they are estimates: the provider's word before ours."""
        usage, estimated = completion.usage, completion.usage is None
        if usage is None:
            usage = self.estimated_usage(completion)
        if completion.cost_usd is not None:
            return completion.cost_usd, usage, estimated
        if completion.from_cache:
            return 0.0, usage, estimated
        return self._catalog[model].price.cost_usd(usage), usage, estimated

    def estimated_usage(self, completion: Completion) -> Usage:
        """Tokens of an answer whose provider does not say."""
        return Usage(self._asked.context.input_tokens, max(len(completion.text) // 4, 1))

    def _level_usd(self, now: float) -> float | None:
        """Dollars that a call may hold: what every cap has left, or where some may be passed, those that may not."""
        if not self._force:
            return self._tower.ledger.left_usd(self._asked.tenant, self._asked.context.task, now, leased=True)
        strict = self._strict(now)
        return None if strict is None else strict.at_hand_usd

    def _strict(self, now: float) -> Account | None:
        """The tightest of the caps that may not be passed; None where there is none."""
        tenant, task = self._asked.tenant, self._asked.context.task
        accounts = (
            account
            for account in self._tower.ledger.accounts(now)
            if account.cap.on_exhausted == "reject" and account.cap.scope.covers(tenant, task)
        )
        return min(accounts, key=lambda account: account.at_hand_usd, default=None)

    def _hold(self, model: str) -> Reservation:
        asked, now = self._asked, self._tower.clock()
        task = asked.context.task
        usd = self._tower.decider.beliefs.reservation_usd(self._catalog[model], asked.context, asked.demand)
        strict = self._strict(now) if self._force else None
        if strict is not None and usd > strict.at_hand_usd:
            raise strict.exceeded(now)
        self._held += 1
        reservation_id = self.decision_id if self._held == 1 else f"{self.decision_id}/{self._held}"
        reservation = self._tower.ledger.reserve(
            reservation_id, usd, asked.tenant, task, now, self.expires_at, force=self._force
        )
        self._holds[model] = reservation
        return reservation

    def _close(self, model: str, attempt: Attempt) -> None:
        others = self._beside.pop(model, None)
        if others is not None:
            attempt = replace(attempt, **self._load.ended(model, others)._asdict())
        reservation = self._holds.pop(model, None)
        if reservation is not None:
            self._charges.extend(self._tower.ledger.settle(reservation.reservation_id, attempt.cost_usd))
        self._attempts.append(attempt)
        self._tower.observer.notify(Attempted(self.decision_id, attempt))

    def _lost_usd(self, call: Call, partial: Completion | None) -> float:
        """Dollars that a call without a whole answer is taken to have cost: nobody says, and it may well be billed."""
        model = self._catalog[call.model]
        if partial is not None:
            return self.cost_usd(call.model, partial)[0]
        if not call.sent or not _may_be_billed(call.error):
            return 0.0
        return self._expected_usd(model)

    def _expected_usd(self, model: Model) -> float:
        forecast = self._forecasts.get(model.name)
        if forecast is None:
            return 0.0
        tokens = forecast.output_tokens * self._asked.demand.answers
        return model.price.estimate_usd(self._asked.context.input_tokens, tokens)


def _failure(error: ProviderError) -> str:
    """The error's name; with the limit that passed, where that says nothing of how slow the model is."""
    if isinstance(error, TimedOutError) and error.phase in _NOT_THE_MODELS_PHASES:
        return f"{type(error).__name__} ({error.phase})"
    return type(error).__name__


def _may_be_billed(error: ProviderError | None) -> bool:
    """Whether the provider may have done work: it was asked and never said no."""
    if isinstance(error, TimedOutError):
        return error.phase not in _UNBILLED_PHASES
    return error is None or isinstance(error, CutStreamError)
