"""Many worlds of caps on arrays are as many live ledgers, step by step; and none of them breaks the law."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from banditroute.errors import BudgetExceededError
from banditroute.routing.accounts import PICOS
from banditroute.routing.budgets import Cap, Scope
from banditroute.routing.ledger import Ledger
from banditroute.simulation.many_caps import Held, ManyCaps

START = datetime(2026, 11, 23, tzinfo=UTC).timestamp()
DAY, LASTS_S = 86_400.0, 1.0
CAPS = (Cap("day", 0.001, "day"), Cap("month", 0.004, "month"), Cap("acme", 0.0006, "day", Scope("tenant", "acme")))
WORLDS = 3
MICRO = PICOS // 10**6

amounts = st.lists(st.integers(0, 900), min_size=WORLDS, max_size=WORLDS)
flags = st.lists(st.booleans(), min_size=WORLDS, max_size=WORLDS)
steps = st.one_of(
    st.tuples(st.just("reserve"), amounts, flags, flags),
    st.tuples(st.just("settle"), st.integers(0, 99), amounts),
    st.tuples(st.just("expire")),
    st.tuples(st.just("night")),
)


class Both:
    """As many ledgers as there are worlds, and the arrays that stand for them."""

    def __init__(self) -> None:
        self.ledgers = [Ledger(CAPS) for _ in range(WORLDS)]
        self.many = ManyCaps(np.array([round(cap.usd * PICOS) for cap in CAPS]), WORLDS)
        self.now = START
        self.count = 0
        self.held: dict[int, tuple[Held, float]] = {}
        self.expired: set[int] = set()
        self.overrun = np.zeros(WORLDS, np.int64)

    def reserve(self, micros: list[int], acme: list[bool], force: list[bool]) -> None:
        self.count += 1
        covers = np.array([[True, True, mine] for mine in acme])
        held = self.many.reserve(np.array(micros) * MICRO, covers, np.array(force))
        for world, ledger in enumerate(self.ledgers):
            tenant = "acme" if acme[world] else "other"
            try:
                name, usd, ends_at = str(self.count), micros[world] / 1e6, self.now + LASTS_S
                made = ledger.reserve(name, usd, tenant, "qa", self.now, ends_at, force=force[world])
            except BudgetExceededError:
                assert not held.made[world]
                continue
            assert held.made[world]
            assert [window.budget for window in made.windows] == [
                cap.name for cap, covered in zip(CAPS, held.covers[world], strict=True) if covered
            ]
        self.held[self.count] = held, self.now

    def settle(self, which: int, micros: list[int]) -> None:
        if self.held:
            number = sorted(self.held)[which % len(self.held)]
            held, _ = self.held.pop(number)
            self.overrun += self.many.settle(held, np.array(micros) * MICRO, held.made)
            for world, ledger in enumerate(self.ledgers):
                ledger.settle(str(number), micros[world] / 1e6)

    def expire(self) -> None:
        """Time is up for all that is held; it is billed all the same, within a day."""
        self.bill(n for n, (_, since) in self.held.items() if since < self.now - 0.5 * DAY)
        self.now += LASTS_S
        for ledger in self.ledgers:
            ledger.expire(self.now)
        self.held = {number: (self.many.let_go(held, held.made), since) for number, (held, since) in self.held.items()}
        self.expired |= self.held.keys()

    def night(self) -> None:
        """The next day; what expired, or was begun the day before, is billed first: its books are about to go."""
        self.bill(n for n, (_, since) in self.held.items() if n in self.expired or since < self.now - 0.5 * DAY)
        self.now += DAY
        self.many.turn(0)
        self.many.turn(2)

    def bill(self, numbers: Iterable[int]) -> None:
        for number in list(numbers):
            self.settle(sorted(self.held).index(number), [100] * WORLDS)

    def check(self) -> None:
        for world, ledger in enumerate(self.ledgers):
            for cap, account in enumerate(ledger.accounts(self.now)):
                book = self.many.current[cap]
                mine = (self.many.spent, self.many.reserved, self.many.overrun)
                theirs = (account.spent_usd, account.reserved_usd, account.overrun_usd)
                assert [each[book, world, cap] / PICOS for each in mine] == list(theirs)
            assert self.overrun[world] / PICOS == ledger.overrun_usd
        assert self.many.broken() == 0


@settings(max_examples=80, deadline=None)
@given(st.lists(steps, max_size=30))
def test_the_arrays_are_as_many_ledgers(doings: list[tuple[object, ...]]) -> None:
    both = Both()
    for name, *how in doings[:30]:
        if name != "night" or both.now < START + 5 * DAY:  # within November
            getattr(both, str(name))(*how)
        both.check()
