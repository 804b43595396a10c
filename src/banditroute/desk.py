"""Where a request becomes a decision: what it is, what it demands, who may serve it in the budgets, who is drawn."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from banditroute.delivery.availability import Availability
from banditroute.errors import (
    CoolingDownError,
    InvalidRequestError,
    NoEligibleModelError,
)
from banditroute.flight import Asked, RequestFlight, Tower
from banditroute.observe import BudgetExhausted, Decided
from banditroute.records import ChatRequest, Context, Decision
from banditroute.routing.catalog import AUTO
from banditroute.routing.requests import check_text, demand_of, input_tokens, is_number
from banditroute.routing.sessions import Sessions, Stay
from banditroute.routing.shadow import Moment, Shadow
from banditroute.routing.tasks import GENERAL, FeatureEncoder, Task, TaskClassifier, is_judging

MOST_TASKS = 64
"""Task classes that are learned apart; requests that name yet another one count as `general`."""

_GRACE_S = 60.0  # a reservation outlives its request's deadline by this


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms a caller asks.

    Attributes:
        model: a name of the catalog pins it; None or "auto" lets the router choose, "auto:TASK" names the class.
        task: the task class; None or empty = classified.
        tenant: on whose behalf: selects budgets.
        session_id: names the conversation, so that it stays with a model unless leaving is worth it.
        features: of the prompt, where the configuration says that callers give them.
        max_cost_usd: the most that the request may cost, in the worst case.
        max_latency_s: the longest it may be expected to take.
        allowed: if not empty, only these models.
        denied: never these models.
        timeout_s: its whole time, retries and fallbacks included; None = the configured deadline.
        expected: the right answer, where the caller knows it: for graders, never for a provider.
        request_id: what the caller calls the request, by which it may be judged.
    """

    model: str | None = None
    task: str | None = None
    tenant: str = ""
    session_id: str | None = None
    features: Sequence[float] | None = None
    max_cost_usd: float | None = None
    max_latency_s: float | None = None
    allowed: Iterable[str] = ()
    denied: Iterable[str] = ()
    timeout_s: float | None = None
    expected: str | None = None
    request_id: str | None = None


class Desk:
    """Decides on requests as they come in; one event loop, one owner.

    Args:
        tower: what every flight needs.
        availability: which models can be called, and when the others can.
        classifier: names a request's task class where the caller does not.
        encoder: what of a prompt the policy sees.
        sessions: which model each conversation is with.
        deadline_s: time of a request that does not name its own.
        shadow: decides beside it; None = nobody does.
    """

    def __init__(
        self,
        tower: Tower,
        availability: Availability,
        classifier: TaskClassifier,
        encoder: FeatureEncoder,
        sessions: Sessions,
        *,
        deadline_s: float,
        shadow: Shadow | None = None,
    ) -> None:
        self._tower = tower
        self._availability = availability
        self._classifier = classifier
        self._encoder = encoder
        self._sessions = sessions
        self._deadline_s = deadline_s
        self._shadow = shadow

    def take_off(self, request: ChatRequest, terms: Terms, *, streaming: bool = False) -> RequestFlight:
        """The request's flight, its decision made and its dollars held.

        Raises:
            InvalidRequestError: no model could be asked this.
            NoEligibleModelError: no model may serve it; says why of each.
            BudgetExceededError: a cap is reached.
            CoolingDownError: every model that may serve it is cooling down.
        """
        asked = self.asked(request, terms, streaming=streaming)
        limit_s = self._deadline_s if terms.timeout_s is None else _positive(terms.timeout_s, "timeout_s")
        now = self._tower.clock()
        decision, force = self._decide(asked, now)
        deadline = asyncio.get_running_loop().time() + limit_s
        return RequestFlight(self._tower, asked, decision, deadline, now + limit_s + _GRACE_S, force=force)

    def decide(self, request: ChatRequest, terms: Terms, within_s: float) -> RequestFlight:
        """The same for a call that the caller makes: its dollars are held for so many seconds."""
        asked, now = self.asked(request, terms), self._tower.clock()
        decision, force = self._decide(asked, now)
        return RequestFlight(self._tower, asked, decision, math.inf, now + within_s, force=force)

    def asked(self, request: ChatRequest, terms: Terms, *, streaming: bool = False) -> Asked:
        """The request as the policy sees it."""
        check_text(terms.tenant, "tenant")
        check_text(terms.task or "", "task")
        check_text(terms.session_id or "", "session_id")
        check_text(terms.request_id or "", "request_id")
        pinned, task = self._named(terms)
        tokens = input_tokens(request)
        known = self._classifier.classify(request) if task is None else self._bounded(task)
        demand = demand_of(
            request,
            tokens,
            streaming=streaming,
            allowed=self._models(terms.allowed, "allowed") if pinned is None else (pinned,),
            denied=self._models(terms.denied, "denied"),
            max_cost_usd=terms.max_cost_usd,
            max_latency_s=terms.max_latency_s,
        )
        features, version = self._features(request, known, terms), self._encoder.version
        context = Context(known.name, features, tokens, version, known.likeliest, known.probability)
        names = terms.session_id, terms.request_id
        return Asked(context, demand, terms.tenant, self._stay(terms), pinned is not None, *names)

    def answered(self, terms: Terms, model: str, prompt_tokens: int) -> None:
        """Takes note of who answered in a conversation."""
        if terms.session_id is not None:
            self._sessions.answered(terms.session_id, model, prompt_tokens, self._tower.clock())

    def _bounded(self, task: str) -> Task:
        """The class that the caller names, while there are not too many: a name made up anew each time is no class."""
        if is_judging(task):  # never learned, so it takes no other's place; and as `general` it would be judged itself
            return Task(task)
        return Task(task if self._tower.decider.beliefs.may_learn(task, MOST_TASKS) else GENERAL)

    def _named(self, terms: Terms) -> tuple[str | None, str | None]:
        """The model that is pinned and the task that is named, if any."""
        model = terms.model
        if model is None or model == AUTO:
            return None, terms.task or None
        check_text(model, "model")
        if model.startswith(f"{AUTO}:"):
            return None, terms.task or model.removeprefix(f"{AUTO}:") or None
        current = self._tower.decider.catalog.current(model)
        if current is None:
            names = ", ".join(self._tower.decider.catalog.names)
            raise InvalidRequestError(f"no model is named {model!r}", remedy=f"use auto or {names}", field="model")
        return current, terms.task or None

    def _models(self, names: Iterable[str] | str, field: str) -> Iterable[str]:
        """The models that the caller names, one alone for a list of it; a slip must let no barred one through."""
        catalog = self._tower.decider.catalog
        found: list[str] = []
        for name in (names,) if isinstance(names, str) else names:
            current = catalog.current(name)
            if current is None:
                known = ", ".join(catalog.names)
                raise InvalidRequestError(f"no model is named {name!r}", remedy=f"choose from {known}", field=field)
            found.append(current)
        return found

    def _features(self, request: ChatRequest, task: Task, terms: Terms) -> tuple[float, ...]:
        if terms.features is None:
            return self._encoder.encode(request, task)
        return tuple(terms.features)

    def _stay(self, terms: Terms) -> Stay | None:
        if terms.session_id is None:
            return None
        stay = self._sessions.stay(terms.session_id, self._tower.clock())
        if stay is None or (model := self._tower.decider.catalog.current(stay.model)) is None:
            return None
        return stay if model == stay.model else replace(stay, model=model)

    def _decide(self, asked: Asked, now: float) -> tuple[Decision, bool]:
        """The decision, and whether it goes over a cap that allows the cheapest model to."""
        tower, context = self._tower, asked.context
        decision_id = tower.new_id(now)
        tower.decider.pacers.arrived(asked.tenant, context.task, now, tower.ledger)
        level_usd = tower.ledger.left_usd(asked.tenant, context.task, now)
        force = False
        try:
            decision = self._drawn(asked, now, decision_id, level_usd)
        except NoEligibleModelError as error:
            cheapest = None if level_usd is None else self._cheapest(asked, now, decision_id)
            if cheapest is None:
                raise self._cooling(error, now) from None
            self._check_caps(asked, cheapest, now)
            decision, force = cheapest, True
        if self._shadow is not None and self._shadow.picks(context.task):
            decision = self._shadow.beside(decision, Moment(asked.demand, tower.unavailable(now), asked.session_id))
        tower.observer.notify(Decided(decision))
        return decision, force

    def _drawn(
        self, asked: Asked, now: float, decision_id: str, level_usd: float | None, *, cheapest: bool = False
    ) -> Decision:
        tower = self._tower
        decision = tower.decider.decide(
            asked.context,
            asked.demand,
            decision_id=decision_id,
            now=now,
            u=tower.uniform(),
            level_usd=level_usd,
            unavailable=tower.unavailable(now),
            tenant=asked.tenant,
            stay=asked.stay,
            cheapest=cheapest,
        )
        return replace(decision, pinned=True) if asked.pinned else decision

    def _cheapest(self, asked: Asked, now: float, decision_id: str) -> Decision | None:
        """The cheapest model that may serve but for the caps; None where none may."""
        try:
            return self._drawn(asked, now, decision_id, None, cheapest=True)
        except NoEligibleModelError:
            return None

    def _check_caps(self, asked: Asked, cheapest: Decision, now: float) -> None:
        """Raises BudgetExceededError where a cap that is reached does not let the cheapest model serve all the same.

        None does for a judge: what it would say can wait.
        """
        tower, context = self._tower, asked.context
        model = tower.decider.catalog[cheapest.chosen]
        needed_usd = tower.decider.beliefs.reservation_usd(model, context, asked.demand)
        for account in tower.ledger.accounts(now):
            if account.cap.scope.covers(asked.tenant, context.task) and account.left_usd < needed_usd:
                rejected = account.cap.on_exhausted == "reject" or is_judging(context.task)
                tower.observer.notify(BudgetExhausted(account.cap.name, cheapest.decision_id, rejected))
                if rejected:
                    raise account.exceeded(now, needed_usd)

    def _cooling(self, error: NoEligibleModelError, now: float) -> NoEligibleModelError | CoolingDownError:
        """The error that says it best: where somebody could serve but for cooling down, how long to wait."""
        cooling = self._tower.unavailable(now)
        waiting = {model: why for model, why in error.reasons.items() if cooling.get(model) == why}
        if not waiting:
            return error
        return CoolingDownError(waiting, retry_after_s=self._availability.retry_after_s(list(waiting), now))


def _positive(amount: float, field: str) -> float:
    if not is_number(amount) or not 0 < amount < math.inf:
        raise InvalidRequestError(f"{amount!r} is not a time in seconds", remedy="give a positive number", field=field)
    return amount
