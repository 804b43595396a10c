"""A world in which requests arrive and take their time: the live `Decider` and `Ledger` under a virtual clock.

Each request of a row of an outcome table is decided, its dollars are reserved, its answer comes when its seconds have
passed, and only then is it billed, learned of and judged; meanwhile others arrive. The same seed plays the same world.

How long a call takes is the table's `latency_s`, or what a function says:

    latency(model, in_flight, rng) -> seconds

`model` is the model's name, `in_flight` the calls of that model that are under way when this one begins (itself not
counted), `rng` a numpy generator that belongs to latencies alone.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.errors import BudgetExceededError, NoEligibleModelError
from banditroute.records import Attempt, Context, Decision, Demand, Feedback, Outcome, Usage
from banditroute.routing.budgets import Charge, Window
from banditroute.routing.decider import Decider
from banditroute.routing.ledger import Ledger
from banditroute.routing.lessons import lesson_of, lessons_of

from .stages import Stage
from .stream import NO_TASK
from .table import OutcomeTable
from .traffic import Arrivals
from .world_prices import Priced

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

Latency = Callable[[str, int, np.random.Generator], float]

TURNED_DOWN = -1
"""The arm of a request that a cap turned down."""

_DEADLINE_S = 600.0
_UNKNOWN_S = 1.0  # of a call whose seconds nobody knows
_SOURCE = "world"


@dataclass(frozen=True, slots=True, eq=False)
class Lived:
    """What became of n requests, in the order in which they came.

    Attributes:
        row: (n,) row of the table.
        arm: (n,) model that served; TURNED_DOWN where none did.
        quality: (n,), nan where turned down.
        cost_usd: (n,) dollars, 0 where turned down.
        latency_s: (n,) seconds, nan likewise.
        degraded: (n,) served by the cheapest model because a cap had too little left for any other.
        spent_usd: dollars by window of every cap, once everything was billed.
        allowed_usd: dollars that each of these windows allowed, carried ones included.
    """

    row: Ints
    arm: Ints
    quality: Floats
    cost_usd: Floats
    latency_s: Floats
    degraded: Bools
    spent_usd: dict[Window, float]
    allowed_usd: dict[Window, float]


class World:
    """One run of a world; `run` it once.

    Args:
        priced: the table, with the catalog that the decider decides between.
        arrivals: who asks when.
        decider: decides and learns.
        ledger: keeps the caps.
        seed: of the order of rows, of chance and of latencies.
        latency: seconds of each call; None = the table's, 1 s where it has none.
        deadline_s: how long a reservation holds its dollars.
        max_tokens: the longest answer that callers allow; None = they do not say.
        stages: the outcomes in stretches of requests, where they change on the way.
    """

    def __init__(
        self,
        priced: Priced,
        arrivals: Arrivals,
        decider: Decider,
        ledger: Ledger,
        *,
        seed: int = 0,
        latency: Latency | None = None,
        deadline_s: float = _DEADLINE_S,
        max_tokens: int | None = None,
        stages: Sequence[Stage] = (),
    ) -> None:
        self.decider = decider
        self.ledger = ledger
        self._priced = priced
        self._tables = [stage.table for stage in stages] or [priced.table]
        self._ends = [stage.last for stage in stages[:-1]]
        self._requests = _Requests(priced.table, max_tokens)
        self._arrivals = arrivals
        self._row = repeated(priced.table.requests, arrivals.requests, seed)
        self._uniform = np.random.default_rng([seed, 1]).random(arrivals.requests)
        self._latency = latency
        self._deadline_s = deadline_s
        self._latency_rng = np.random.default_rng([seed, 3])
        self._flights: list[_Flight] = []
        self._lived = _blank(self._row)

    def run(self) -> Lived:
        """Lets every request come, and waits for the last answer."""
        for number, at in enumerate(self._arrivals.at.tolist()):
            self._wait(at)
            self._arrive(number, at)
        self._wait(math.inf)
        return self._lived

    def _wait(self, until: float) -> None:
        """Lets answers come that are there by then, and reservations end whose time is up."""
        while self._flights and self._flights[0].ends_at <= until:
            self._land(heapq.heappop(self._flights))
        if math.isfinite(until):
            self.ledger.expire(until)

    def _arrive(self, number: int, at: float) -> None:
        """One request: a decision, dollars held, a call on its way; or it is turned down."""
        tenant = self._arrivals.tenants[self._arrivals.tenant[number]]
        asked = self._requests.at(int(self._row[number]))
        try:
            decision, degraded = self._decide(number, asked, tenant, at)
        except BudgetExceededError:
            return
        self._note_windows(at)
        flight = self._take_off(number, decision, degraded)
        heapq.heappush(self._flights, flight)

    def _decide(self, number: int, asked: _Asked, tenant: str, at: float) -> tuple[Decision, bool]:
        """The decision, its dollars held, and whether a cap left no other choice than the cheapest model."""
        context, demand = asked
        self.decider.pacers.arrived(tenant, context.task, at, self.ledger)
        level_usd = self.ledger.left_usd(tenant, context.task, at)
        try:
            decision = self._drawn(number, asked, tenant, at, level_usd)
        except NoEligibleModelError:
            if level_usd is None:
                raise
            decision = self._drawn(number, asked, tenant, at, None, cheapest=True)
            self._hold(decision, demand, at, force=True)
            return decision, True
        self._hold(decision, demand, at, force=False)
        return decision, False

    def _drawn(
        self, number: int, asked: _Asked, tenant: str, at: float, level_usd: float | None, *, cheapest: bool = False
    ) -> Decision:
        return self.decider.decide(
            asked.context,
            asked.demand,
            decision_id=str(number),
            now=at,
            u=float(self._uniform[number]),
            level_usd=level_usd,
            tenant=tenant,
            cheapest=cheapest,
        )

    def _hold(self, decision: Decision, demand: Demand, at: float, *, force: bool) -> None:
        usd = self.decider.beliefs.reservation_usd(self.decider.catalog[decision.chosen], decision.context, demand)
        task, expires_at = decision.context.task, at + self._deadline_s
        for account in self.ledger.accounts(at) if force else ():
            cap = account.cap
            if cap.on_exhausted == "reject" and cap.scope.covers(decision.tenant, task) and account.left_usd < usd:
                raise account.exceeded(at)
        self.ledger.reserve(decision.decision_id, usd, decision.tenant, task, at, expires_at, force=force)

    def _take_off(self, number: int, decision: Decision, degraded: bool) -> _Flight:
        """The call, on its way until its seconds have passed."""
        row, arm = int(self._row[number]), self.decider.catalog.arm(decision.chosen)
        seconds = self._seconds(number, row, arm, decision.chosen)
        self._lived.arm[number], self._lived.degraded[number] = arm, degraded
        self._lived.latency_s[number] = seconds
        others = self.decider.beliefs.load.began(decision.chosen)
        return _Flight(decision.at + seconds, number, decision, self.decider.expect(decision), others)

    def _outcomes(self, number: int) -> OutcomeTable:
        """The outcomes as they are when a request comes."""
        return self._tables[bisect_right(self._ends, number)]

    def _seconds(self, number: int, row: int, arm: int, model: str) -> float:
        if self._latency is not None:
            return self._latency(model, self.decider.beliefs.load.in_flight.get(model, 0), self._latency_rng)
        seconds = float(self._outcomes(number).latency_s[row, arm])
        return _UNKNOWN_S if math.isnan(seconds) else seconds

    def _land(self, flight: _Flight) -> None:
        """An answer: billed, learned of, judged."""
        number, decision = flight.number, flight.decision
        row, arm = int(self._row[number]), int(self._lived.arm[number])
        outcomes = self._outcomes(number)
        cost_usd, quality = float(outcomes.cost_usd[row, arm]), float(outcomes.quality[row, arm])
        self._lived.cost_usd[number], self._lived.quality[number] = cost_usd, quality
        busy = self.decider.beliefs.load.ended(decision.chosen, flight.others)
        self._charge(self.ledger.settle(decision.decision_id, cost_usd))
        task = decision.context.task
        self.decider.spend(cost_usd, tenant=decision.tenant, task=task, expected_usd=flight.expected_usd)
        usage = Usage(decision.context.input_tokens, int(self._priced.output_tokens[row, arm]))
        seconds = flight.ends_at - decision.at
        calls = (Attempt(decision.chosen, seconds, cost_usd, **busy._asdict()),)
        told = Outcome(decision.decision_id, decision.chosen, flight.ends_at, usage, cost_usd, seconds)
        outcome = replace(told, attempts=calls)
        self.decider.settled(decision, outcome)
        self._learn(decision, outcome, quality)

    def _learn(self, decision: Decision, outcome: Outcome, quality: float) -> None:
        feedback = Feedback(decision.decision_id, quality, _SOURCE, outcome.at)
        for lesson in (*lessons_of(decision, outcome), lesson_of(decision, outcome, feedback)):
            self.decider.take(lesson)
        if self.decider.refresh_due:
            self.decider.refresh()

    def _note_windows(self, at: float) -> None:
        """What each current window allows."""
        for account in self.ledger.accounts(at):
            self._lived.allowed_usd[account.window] = account.usd
            self._lived.spent_usd.setdefault(account.window, 0.0)

    def _charge(self, charges: tuple[Charge, ...]) -> None:
        for charge in charges:
            self._lived.spent_usd[charge.window] += charge.usd


class _Flight(NamedTuple):
    """A call under way; ordered by when it ends."""

    ends_at: float
    number: int
    decision: Decision
    expected_usd: float
    others: int


class _Asked(NamedTuple):
    """A request as the decider sees it."""

    context: Context
    demand: Demand


class _Requests:
    """The rows of a table as requests, each made once."""

    def __init__(self, table: OutcomeTable, max_tokens: int | None) -> None:
        self._table = table
        self._max_tokens = max_tokens
        self._made: dict[int, _Asked] = {}

    def at(self, row: int) -> _Asked:
        """The request of a row; models that are not observed on it are denied."""
        asked = self._made.get(row)
        if asked is None:
            asked = self._made[row] = self._of(row)
        return asked

    def _of(self, row: int) -> _Asked:
        table = self._table
        tokens = table.input_tokens[row]
        input_tokens = 0 if np.isnan(tokens) else int(tokens)
        task = table.tasks[table.task_of[row]] if table.task_of[row] >= 0 else NO_TASK
        denied = frozenset(m for m, seen in zip(table.models, table.observed[row], strict=True) if not seen)
        features = tuple(table.features[row].tolist())
        version = f"table-{len(features)}" if features else "none"
        demand = Demand(input_tokens, self._max_tokens, denied=denied)
        return _Asked(Context(task, features, input_tokens, version), demand)


def repeated(rows: int, requests: int, seed: int) -> Ints:
    """Rows (requests,): all of a table again and again, each time in another random order."""
    rng = np.random.default_rng([seed, 0])
    passes = -(-requests // rows)
    return np.concatenate([rng.permutation(rows) for _ in range(passes)])[:requests]


def _blank(row: Ints) -> Lived:
    n = row.size
    arm, degraded = np.full(n, TURNED_DOWN), np.zeros(n, dtype=np.bool_)
    return Lived(row, arm, np.full(n, np.nan), np.zeros(n), np.full(n, np.nan), degraded, {}, {})
