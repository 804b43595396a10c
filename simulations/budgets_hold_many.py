"""Writes the part of docs/budgets.md on a hundred million requests: is a cap ever passed by more than it states?

Two thousand worlds side by side on arrays that a test holds against the live ledger (tests/properties/test_many_caps).
In each, 32 calls are under way over four caps; books are checked after every request. A token bucket is drawn from as
often. Two minutes on one core; `python simulations/budgets_hold_many.py 1000000` plays fewer requests.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from banditroute.learning.pacing import refilled
from banditroute.simulation.many_caps import Bools, Held, Ints, ManyCaps
from marked_page import footnote, write_part

REQUESTS = 100_000_000
WORLDS, IN_FLIGHT = 2_000, 32
DAY, DAYS_A_MONTH = 1_000, 4  # a day in requests; short, so that many of them end
MICRO = 10**6  # 1e-12 dollars
CAPS_MICRO = (
    60_000,
    200_000,
    30_000,
    12_000,
)  # all a day, all a month, each of two tenants a day; millionths of a dollar
MONTHLY = 1
CAPACITY = 120.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """What may go wrong.

    Attributes:
        name: what the page calls it.
        above: share of bills above their reservation, up to ten times it.
        late: share of calls whose reservations expire, at each request, long before they are billed.
        forced: share of requests that are let through where nothing fits.
    """

    name: str
    above: float = 0.0
    late: float = 0.0
    forced: float = 0.0


SCENARIOS = (
    Scenario("callers limit their answers"),
    Scenario("1% of bills above their reservation", above=0.01),
    Scenario("prices jump: 30% of bills above it, up to tenfold", above=0.3),
    Scenario("everything at once", above=0.3, late=0.05, forced=0.3),
)


class Found:
    """What was counted in one scenario."""

    def __init__(self) -> None:
        self.requests = self.turned_down = self.checks = self.broken = self.beyond = 0
        self.highest = 0.0


class Worlds:
    """All worlds of one scenario."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario = scenario
        self.rng = np.random.default_rng(seed)
        self.caps = ManyCaps(np.array(CAPS_MICRO) * MICRO, WORLDS)
        self.flights = [_nothing(len(CAPS_MICRO)) for _ in range(IN_FLIGHT)]
        self.bills = np.zeros((IN_FLIGHT, WORLDS), np.int64)
        self.most_over = np.zeros(WORLDS, np.int64)  # the largest single overrun of each world
        self.found = Found()

    def run(self, requests: int) -> Found:
        """Plays so many requests in each world."""
        for number in range(requests):
            self.step()
            self.check()
            if number % DAY == DAY - 1:
                self.night(number)
        return self.found

    def step(self) -> None:
        """In every world a call ends, or its reservation does, and where it ended another begins."""
        slot, rng = int(self.rng.integers(IN_FLIGHT)), self.rng
        if self.scenario.late:
            due = int(rng.integers(IN_FLIGHT))
            self.flights[due] = self.caps.let_go(self.flights[due], rng.random(WORLDS) < self.scenario.late)
        self.land(slot, self.flights[slot])
        wanted = rng.integers(1, 400, WORLDS) * MICRO
        tenant = rng.random(WORLDS)
        covers = np.column_stack((np.ones((WORLDS, 2), np.bool_), tenant < 0.4, tenant > 0.7))
        self.flights[slot] = made = self.caps.reserve(wanted, covers, rng.random(WORLDS) < self.scenario.forced)
        self.bills[slot] = self.billed(wanted)
        self.found.requests += WORLDS
        self.found.turned_down += WORLDS - int(made.made.sum())

    def land(self, slot: int, flight: Held) -> None:
        """Bills a call."""
        over = self.caps.settle(flight, self.bills[slot], flight.made)
        np.maximum(self.most_over, over, out=self.most_over)
        self.flights[slot] = flight._replace(made=np.zeros(WORLDS, np.bool_), covers=np.zeros_like(flight.covers))

    def billed(self, wanted: Ints) -> Ints:
        """What calls will cost: a part of what was reserved at most, or what the provider likes."""
        share = self.rng.random(WORLDS)
        above = self.rng.random(WORLDS) < self.scenario.above
        return (wanted * np.where(above, 10.0 * share, share)).astype(np.int64)

    def check(self) -> None:
        """The two promises: the law of every book, and that without force only those in flight end above a cap."""
        caps, found = self.caps, self.found
        found.checks += caps.spent.size
        found.broken += caps.broken()
        if not self.scenario.forced:
            found.beyond += int((caps.spent > caps.usd + IN_FLIGHT * self.most_over[:, None]).sum())

    def night(self, number: int) -> None:
        """Days end, and every few days the month; calls of the day before are billed before their books go."""
        found = self.found
        found.highest = max(found.highest, float((self.caps.spent / self.caps.usd).max()))
        month = (number + 1) // DAY % DAYS_A_MONTH == 0
        turning = [cap for cap in range(len(CAPS_MICRO)) if cap != MONTHLY or month]
        for slot, flight in enumerate(self.flights):
            if self.old(flight, turning).any():
                self.land(slot, flight)
        self.check()
        for cap in turning:
            self.caps.turn(cap)

    def old(self, flight: Held, turning: list[int]) -> Bools:
        """Where a call is charged to a book that is about to be used anew."""
        return (flight.covers & (flight.window != self.caps.current))[:, turning]


def _nothing(caps: int) -> Held:
    no = np.zeros((WORLDS, caps), np.bool_)
    return Held(no[:, 0], no, np.zeros(no.shape, np.int64), np.zeros(no.shape, np.int64))


def bucket(requests: int, seed: int) -> tuple[int, int, float]:
    """Draws from a token bucket only what is in it: requests, stretches that cost too much, the dearest beyond n.

    A stretch of n requests that starts within capacity and never overdraws costs at most n + capacity: the most that
    any stretch so far has cost beyond its n is the sum so far less the least sum before.
    """
    rng = np.random.default_rng(seed)
    level = np.full(WORLDS, 0.5 * CAPACITY)
    beyond: NDArray[np.float64] = np.zeros(WORLDS)  # cost less requests since the stretch that makes it largest
    broken, dearest = 0, 0.0
    for _ in range(requests):
        cost = rng.exponential(1.5, WORLDS) * np.where(rng.random(WORLDS) < 0.02, 30.0, 1.0)
        cost = np.where(cost <= level + 1.0, cost, 0.0)
        level = refilled(level, cost, CAPACITY)
        beyond = np.maximum(beyond, 0.0) + cost - 1.0
        broken += int((beyond > CAPACITY + 1e-9).sum())
        dearest = max(dearest, float(beyond.max()))
    return requests * WORLDS, broken, dearest


def main() -> None:
    """Measures and writes; ends without writing where a promise is broken."""
    started = time.perf_counter()
    asked = int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS
    each = -(-asked // (WORLDS * (len(SCENARIOS) + 1)))
    found = [Worlds(scenario, seed).run(each) for seed, scenario in enumerate(SCENARIOS)]
    drawn, overdrawn, dearest = bucket(each, len(SCENARIOS))
    if overdrawn or any(one.broken or one.beyond for one in found):
        sys.exit(f"the bound does not hold: {[vars(one) for one in found]}, bucket {overdrawn}")
    lines = [
        "| | requests | turned down | checks | violations | highest spent / cap |",
        "|---|---|---|---|---|---|",
        *(
            f"| {scenario.name} | {one.requests:,} | {one.turned_down / one.requests:.0%} | {one.checks:,} "
            f"| {one.broken + one.beyond} | {one.highest:.4f} |"
            for scenario, one in zip(SCENARIOS, found, strict=True)
        ),
        f"| a token bucket of {CAPACITY:.0f}: dearest stretch {dearest:.2f} beyond its requests "
        f"| {drawn:,} | | {drawn:,} | {overdrawn} | |",
        "",
        f"{sum(one.requests for one in found) + drawn:,} requests in all. {footnote(started, __file__)}.",
    ]
    text = "\n".join(lines)
    print(text)
    if asked >= REQUESTS:
        write_part("budgets.md", "many", text)


if __name__ == "__main__":
    main()
