"""Writes the measured part of docs/budgets.md: does a cap hold, request by request?

256 requests are in flight. An account of its own, kept beside the ledger's in another way, checks the stated bound
after every step that could break it; where it is broken nothing is written. Under a minute on one core.
"""

from __future__ import annotations

import heapq
import math
import os
import platform
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime
from random import Random
from typing import NamedTuple

from banditroute.errors import BudgetExceededError
from banditroute.records import Demand, Usage
from banditroute.routing.budgets import Cap, Scope, Window
from banditroute.routing.catalog import Capabilities, Model, Price
from banditroute.routing.eligibility import reservation_usd
from banditroute.routing.ledger import Ledger, Reservation
from marked_page import write_part

IN_FLIGHT = 256
START = datetime(2026, 11, 24, tzinfo=UTC).timestamp()
LASTS_S = 600.0
TOLERANCE_USD = 1e-6  # this account adds up floating-point dollars
LIKELY_TOKENS = 1200.0  # what 99% of answers stay below, where no caller limits them

MODELS = tuple(
    Model(name, "any", name, Price(per_input, 4 * per_input), Capabilities(128_000, 16_384))
    for name, per_input in (("large", 10.0), ("medium", 2.5), ("small", 0.15), ("free", 0.0))
)
CAPS = (
    Cap("all, a day", 300.0, "day"),
    Cap("all, a month", 1600.0, "month"),
    Cap("acme, a day", 120.0, "day", Scope("tenant", "acme")),
    Cap("batch, a day", 40.0, "day", Scope("tenant", "batch"), "reject"),
    Cap("code, a month", 500.0, "month", Scope("task", "code")),
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """What may go wrong.

    Attributes:
        name: what the page calls it.
        requests: how many are made.
        unlimited: share of requests whose caller does not limit the answer.
        jumps: the provider's prices jump tenfold up and down every so often, and nobody says so.
        hanging: share of calls that hang until long after their reservation has expired.
        lost: share of calls that never come back.
        crash_every: requests between two crashes of the process; 0 = none.
        forced: where nothing fits, the cheapest model serves all the same, unless the cap says reject.
    """

    name: str
    requests: int
    unlimited: float = 0.0
    jumps: bool = False
    hanging: float = 0.0
    lost: float = 0.0
    crash_every: int = 0
    forced: bool = False


SCENARIOS = (
    Scenario("callers limit their answers", 100_000),
    Scenario("the same, with crashes", 100_000, crash_every=2_000),
    Scenario("nobody limits an answer", 100_000, unlimited=1.0),
    Scenario("prices jump tenfold, unannounced", 100_000, jumps=True),
    Scenario("everything at once", 1_000_000, 0.2, True, 0.01, 0.002, 10_000, True),
)


class Call(NamedTuple):
    """A call in flight; ordered by when it ends."""

    ends_at: float
    number: int
    reservation: Reservation
    cost_usd: float


class Pot:
    """One window by the simulation's own account."""

    def __init__(self, usd: float) -> None:
        self.usd = usd
        self.spent_usd = 0.0
        self.overrun_usd = 0.0
        self.held_usd = 0.0
        self.holds: dict[str, float] = {}

    def hold(self, name: str, usd: float) -> None:
        """Sets dollars aside, as far as there are any left."""
        held_usd = min(usd, max(self.usd - self.spent_usd - self.held_usd, 0.0))
        self.holds[name] = held_usd
        self.held_usd += held_usd

    def let_go(self, name: str) -> float:
        """Holds nothing for it any more; returns what was held."""
        held_usd = self.holds.pop(name, 0.0)
        self.held_usd -= held_usd
        return held_usd

    def spend(self, name: str, usd: float) -> None:
        """Books what was billed in place of what was held."""
        self.overrun_usd += max(usd - self.let_go(name), 0.0)
        self.spent_usd += usd


class World:
    """Servers, callers and a process that keeps a ledger."""

    def __init__(self, scenario: Scenario, seed: int = 0) -> None:
        self.scenario = scenario
        self.random = Random(seed)
        self.ledger = Ledger(CAPS)
        self.pots: dict[Window, Pot] = {}
        self.calls: list[Call] = []
        self.counts: Counter[str] = Counter()
        self.factor = 1.0
        self.now = START

    def run(self) -> World:
        """Plays the whole scenario and waits for the last call; returns itself."""
        scenario = self.scenario
        for number in range(scenario.requests):
            if scenario.jumps and number % 5_000 == 0:
                self.factor = self.random.choice((0.1, 1.0, 10.0))
            if scenario.crash_every and number % scenario.crash_every == scenario.crash_every - 1:
                self.crash()
            self.wait(self.now + self.random.random())
            self.ask(number)
            if number % 10_000 == 0:
                self.compare()
                progress(f"{scenario.name}: {number:,} of {scenario.requests:,}")
        self.wait(math.inf)
        return self

    def wait(self, until: float) -> None:
        """Lets time pass until then, or until there is a place among those in flight."""
        while self.calls and (self.calls[0].ends_at <= until or len(self.calls) >= IN_FLIGHT):
            call = heapq.heappop(self.calls)
            self.pass_to(max(self.now, call.ends_at))
            self.end(call)
        self.pass_to(max(self.now, until) if until < math.inf else self.now + 2 * LASTS_S)

    def pass_to(self, now: float) -> None:
        """Sets the clock; reservations whose time is up go."""
        self.now = now
        for name in self.ledger.expire(now):
            self.counts["expired"] += 1
            for pot in self.pots.values():
                pot.let_go(name)

    def ask(self, number: int) -> None:
        """One request: the dearest model that fits, else the cheapest, where the cap allows it."""
        draw = self.random.random
        tenant = ("acme", "batch", "other")[int(3 * draw())]
        task = "code" if draw() < 0.3 else "qa"
        limit = None if draw() < self.scenario.unlimited else 100 + int(900 * draw())
        demand = Demand(50 + int(4000 * draw() ** 3), limit)
        left_usd = self.ledger.left_usd(tenant, task, self.now)
        assert left_usd is not None
        models = MODELS[int(3 * draw()) :] if draw() < 0.7 else MODELS[:3]  # some callers rule the free one out
        for model in models:
            usd = reservation_usd(model, demand, LIKELY_TOKENS)
            if usd <= left_usd:
                self.call(str(number), model, demand, usd, tenant, task)
                return
        self.at_the_cap(str(number), models[-1], demand, tenant, task)

    def at_the_cap(self, name: str, model: Model, demand: Demand, tenant: str, task: str) -> None:
        """A request that nothing fits: served all the same, or turned down."""
        usd = reservation_usd(model, demand, LIKELY_TOKENS)
        tightest = self.ledger.tightest(tenant, task, self.now)
        assert tightest is not None
        if self.scenario.forced and tightest.cap.on_exhausted == "cheapest":
            self.counts["forced"] += 1
            self.call(name, model, demand, usd, tenant, task, force=True)
            return
        try:
            self.ledger.reserve(name, usd, tenant, task, self.now, self.now + LASTS_S)
        except BudgetExceededError:
            self.counts["refused"] += 1
        else:
            raise AssertionError("more was reserved than was left")

    def call(
        self, name: str, model: Model, demand: Demand, usd: float, tenant: str, task: str, *, force: bool = False
    ) -> None:
        """Reserves and dispatches."""
        self.counts["free"] += model.price.free
        made = self.ledger.reserve(name, usd, tenant, task, self.now, self.now + LASTS_S, force=force)
        self.take(made)
        call = Call(self.now + self.seconds(), int(name), made, self.bill_usd(model, demand))
        if not math.isinf(call.ends_at):
            heapq.heappush(self.calls, call)

    def seconds(self) -> float:
        """How long a call takes: up to ten minutes, far longer where the server hangs, for ever where it is lost."""
        u = self.random.random()
        if u < self.scenario.lost:
            return math.inf
        return LASTS_S * (1.0 + 20.0 * self.random.random() if u < self.scenario.lost + self.scenario.hanging else u)

    def bill_usd(self, model: Model, demand: Demand) -> float:
        """What the provider will charge: the price of now, which may not be the one that was stated."""
        longest = demand.max_output_tokens or 16_384
        tokens = min(longest, int(-200.0 * math.log(1.0 - self.random.random())) + 1)
        if self.random.random() < 0.05:
            return 0.0  # it failed or was cancelled
        return self.factor * model.price.cost_usd(Usage(demand.input_tokens, tokens))

    def end(self, call: Call) -> None:
        """Settles a call that came back, however late, and tries to settle it twice."""
        name = call.reservation.reservation_id
        if call.cost_usd == 0.0:
            self.ledger.release(name)
        else:
            self.counts["charges"] += len(self.ledger.settle(name, call.cost_usd))
        self.counts["settled twice"] += len(self.ledger.settle(name, call.cost_usd))
        for window in call.reservation.windows:
            self.pots[window].spend(name, call.cost_usd)
            self.check(window)

    def take(self, reservation: Reservation) -> None:
        """Notes what a reservation holds."""
        for window in reservation.windows:
            if window not in self.pots:
                self.pots[window] = Pot(next(cap.usd for cap in CAPS if cap.name == window.budget))
            self.pots[window].hold(reservation.reservation_id, reservation.usd)
            self.check(window)

    def crash(self) -> None:
        """The process is gone: another one knows what the store knows, and takes up what was on its way."""
        self.counts["crashes"] += 1
        self.compare()
        self.ledger = Ledger(CAPS)
        self.ledger.left_usd("acme", "code", self.now)
        self.ledger.restore({window: pot.spent_usd for window, pot in self.pots.items()})
        for pot in self.pots.values():
            for name in tuple(pot.holds):
                pot.let_go(name)
        current = {account.window for account in self.ledger.accounts(self.now)}
        for call in self.calls:
            self.ledger.hold(call.reservation)
            if call.reservation.expires_at <= self.now:
                self.ledger.expire(self.now)
                continue
            for window in call.reservation.windows:
                if window in current:
                    self.pots[window].hold(call.reservation.reservation_id, call.reservation.usd)
                    self.check(window)

    def check(self, window: Window) -> None:
        """The bound, by this account alone."""
        pot = self.pots[window]
        self.counts["checks"] += 1
        self.counts["violations"] += pot.spent_usd + pot.held_usd > pot.usd + pot.overrun_usd + TOLERANCE_USD

    def compare(self) -> None:
        """Stops where the ledger says something else than this account."""
        for account in self.ledger.accounts(self.now):
            pot = self.pots.get(account.window, Pot(account.cap.usd))
            for ours, theirs in ((pot.spent_usd, account.spent_usd), (pot.held_usd, account.reserved_usd)):
                if abs(ours - theirs) > TOLERANCE_USD:
                    sys.exit(f"{account} is not what it should be: {ours}")


def main() -> None:
    started = time.perf_counter()
    rows = [row(World(scenario).run()) for scenario in SCENARIOS]
    progress("")
    section = "\n".join([heading(time.perf_counter() - started), *TABLE_HEAD, *rows])
    write_part("budgets.md", "measured", section)
    print(section)


def heading(seconds: float) -> str:
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return (
        f"Written by `simulations/budgets_hold.py` on {date.today().isoformat()} ({machine}; {seconds:.0f} s in all).\n"
        f"{IN_FLIGHT} requests in flight, {len(CAPS)} caps at once, over days of simulated time and a month's end.\n"
    )


TABLE_HEAD = (
    "| | requests | turned down | forced | on the free model | expired | crashes | checks | violations "
    "| highest spent / cap | overrun / spent |",
    "|---|---|---|---|---|---|---|---|---|---|---|",
)


def row(world: World) -> str:
    """What came of a scenario; ends the run where the law did not hold."""
    counts, pots = world.counts, world.pots.values()
    leaks = sum(account.reserved_usd for account in world.ledger.accounts(world.now))
    if counts["violations"] or counts["settled twice"] or leaks:
        sys.exit(f"{world.scenario.name}: the bound does not hold: {counts}, {leaks} dollars leaked")
    highest = max(pot.spent_usd / pot.usd for pot in pots)
    overrun = sum(pot.overrun_usd for pot in pots) / sum(pot.spent_usd for pot in pots)
    numbers = (counts[key] for key in ("refused", "forced", "free", "expired", "crashes", "checks", "violations"))
    cells = [world.scenario.name, f"{world.scenario.requests:,}", *(f"{number:,}" for number in numbers)]
    return f"| {' | '.join(cells)} | {highest:.4f} | {overrun:.2%} |"


def progress(text: str) -> None:
    """Shows where it is, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r{text:<78}", end="\n" if not text else "", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
