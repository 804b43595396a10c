"""All that the dashboard shows, as parts that are each sent anew when they change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from banditroute._version import __version__
from banditroute.config import RouterConfig
from banditroute.gateway.dashboard.budgets import budgets, marks_of
from banditroute.gateway.dashboard.decisions import decision_lines
from banditroute.gateway.dashboard.history import History
from banditroute.gateway.dashboard.models import by_cost, edge_lines, model_lines
from banditroute.gateway.dashboard.notices import Notice
from banditroute.gateway.dashboard.ring import Ring
from banditroute.gateway.dashboard.shares import Share, decisions, notices, share_of, stretches
from banditroute.gateway.dashboard.span import span_view
from banditroute.gateway.dashboard.steering import steered
from banditroute.gateway.front import Front
from banditroute.gateway.workers.siblings import Siblings
from banditroute.records import Json
from banditroute.router import Router
from banditroute.routing.budgets import PacedBudget

SHARE = "share"
"""What another worker asks for."""

_FRESH_S = 0.9
_LEARNED_FRESH_S = 4.0  # what is learned takes a while to look at, and moves slowly


@dataclass(frozen=True, slots=True)
class Now:
    """The gateway at this instant.

    Attributes:
        at: the instant, began_at: since when it runs; seconds since the epoch.
        version: that runs; name: of its configuration.
        in_work: requests that are being answered, of at most so many; under_way: decisions that are not settled.
        draining: nobody new is let in.
    """

    at: float
    began_at: float
    version: str
    name: str
    in_work: int
    most_in_work: int
    under_way: int
    draining: bool


@dataclass(frozen=True, slots=True)
class _Made:
    """A part as it was made last."""

    at: float
    body: bytes


@dataclass(frozen=True, slots=True)
class _Told:
    """What the other workers told last."""

    at: float
    shares: list[Share]


class Panel:
    """Looks at a router, no more often than is worth it however many look at the panel; on the router's event loop.

    Args:
        router: which.
        plan: the configuration in force; whoever reloads it says so here.
        history: what is remembered.
        front: says who is let in, and how many are.
        siblings: the other workers; what they do is shown too.
    """

    def __init__(
        self, router: Router, plan: RouterConfig, history: History, front: Front, siblings: Siblings | None = None
    ) -> None:
        self.plan = plan
        self.history = history
        self._siblings = Siblings() if siblings is None else siblings
        self._others: dict[str, _Told] = {}
        self._front = front
        self._router = router
        self._made: dict[str, _Made] = {}
        history.watch(lambda at: marks_of(router.learner, at))

    async def look(self, span: str) -> None:
        """Has the other workers asked for what they have to show, where there are any."""
        ring, now = self.history.ring(span), self.history.clock()
        told = self._others.get(ring.name)
        if told is None or not 0.0 <= now - told.at < _FRESH_S:
            shares = [share_of(each) for each in await self._siblings.ask(SHARE, ring.name)]
            self._others[ring.name] = _Told(now, shares)

    def share(self, span: str) -> Share:
        """What this worker has to show by itself."""
        gate = self._front.gate
        return Share(
            gate.in_work,
            gate.most,
            sum(len(works.serving.under_way) for works in self._router.works),
            self.history.ring(span).span(self.history.clock()),
            decision_lines(self.history),
            list(self.history.notices),
        )

    def parts(self, span: str) -> Mapping[str, bytes]:
        """Every part as JSON, by its name; one that is the same as before is the very same object.

        Args:
            span: the stretch of the past, one of the history's; the shortest where it is none of them.
        """
        now = self.history.clock()
        ring = self.history.ring(span)
        told = self._others.get(ring.name)
        shares = [self.share(span), *(told.shares if told is not None else ())]
        return {
            "now": self._part("now", now, lambda: self._now(shares, now)),
            "span": self._part(f"span/{ring.name}", now, lambda: self._span(ring, shares, now)),
            "budgets": self._part("budgets", now, lambda: self._budgets(now)),
            "models": self._part("models", now, lambda: model_lines(self._router.catalog, self._router.works[-1], now)),
            "edges": self._part("edges", now, lambda: list(edge_lines(self._router.learner.decider)), _LEARNED_FRESH_S),
            "decisions": self._part("decisions", now, lambda: decisions(shares)),
            "notices": self._part("notices", now, lambda: notices(shares)),
            "steering": self._part("steering", now, lambda: steered(self._router.learner, self.plan.guard)),
        }

    async def snapshot(self, span: str) -> Json:
        """The same as one object."""
        await self.look(span)
        return {name: orjson.Fragment(body) for name, body in self.parts(span).items()}

    def operated(self, who: str, done: str) -> None:
        """Takes note of what an operator did, and looks at everything anew."""
        self.history.notices.add(Notice(self.history.clock(), "operator", "note", f"{who} {done}"))
        self._made = {name: _Made(0.0, made.body) for name, made in self._made.items()}

    def _part(self, name: str, now: float, make: Callable[[], object], fresh_s: float = _FRESH_S) -> bytes:
        made = self._made.get(name)
        if made is not None and 0.0 <= now - made.at < fresh_s:
            return made.body
        body = orjson.dumps(make())
        if made is not None and made.body == body:
            body = made.body
        self._made[name] = _Made(now, body)
        return body

    def _now(self, shares: Sequence[Share], now: float) -> Now:
        return Now(
            now,
            self.history.began_at,
            __version__,
            self.plan.path.name,
            sum(share.in_work for share in shares),
            sum(share.most_in_work for share in shares),
            sum(share.under_way for share in shares),
            self._front.draining,
        )

    def _budgets(self, now: float) -> object:
        learner = self._router.learner
        return budgets(self.plan.budgets, learner.decider, learner.ledger, self.history, now)

    def _span(self, ring: Ring, shares: Sequence[Share], now: float) -> object:
        models = [model.name for model in by_cost(self._router.catalog)]
        paced = [budget.name for budget in self.plan.budgets if isinstance(budget, PacedBudget)]
        names = [each.name for each in self.history.rings]
        return span_view(ring, stretches(shares), names, models, paced, now)
