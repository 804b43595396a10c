"""The law of the ledger, whatever is reserved, settled, released, expires or crashes in whatever order."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from banditroute.errors import BudgetExceededError
from banditroute.routing.budgets import Cap, Scope, Window
from banditroute.routing.ledger import KEPT_S, Ledger, Reservation

CAPS = (
    Cap("day", 0.001, "day"),
    Cap("month", 0.005, "month"),
    Cap("acme", 0.0007, "day", Scope("tenant", "acme")),
    Cap("code", 0.0005, "month", Scope("task", "code")),
)
START = datetime(2026, 11, 29, 20, tzinfo=UTC).timestamp()

micros = st.integers(0, 900)
tenants = st.sampled_from(["acme", "other"])
tasks = st.sampled_from(["code", "qa"])


@dataclass
class Pot:
    """One window as it should be, in millionths of a dollar."""

    usd: int
    spent: int = 0
    overrun: int = 0
    held: dict[str, int] = field(default_factory=dict)

    @property
    def left(self) -> int:
        return max(self.usd - self.spent - sum(self.held.values()), 0)


def names(now: float, tenant: str, task: str) -> list[Window]:
    """The windows that should cover a request, worked out from the calendar."""
    when = datetime.fromtimestamp(now, UTC)
    period = {"day": when.strftime("%Y-%m-%d"), "month": when.strftime("%Y-%m")}
    return [Window(cap.name, period[cap.per]) for cap in CAPS if cap.scope.covers(tenant, task)]


class Ledgers(RuleBasedStateMachine):
    """A ledger beside a simple account of what it should say."""

    @initialize()
    def start(self) -> None:
        self.ledger = Ledger(CAPS)
        self.now = START
        self.pots: dict[Window, Pot] = {}
        self.open: dict[str, Reservation] = {}
        self.expired: set[str] = set()
        self.count = 0

    def pot(self, window: Window) -> Pot:
        usd = next(round(cap.usd * 1e6) for cap in CAPS if cap.name == window.budget)
        return self.pots.setdefault(window, Pot(usd))

    @rule(usd=micros, tenant=tenants, task=tasks, force=st.booleans(), lasts=st.integers(1, 90_000))
    def reserve(self, usd: int, tenant: str, task: str, force: bool, lasts: int) -> None:
        self.count += 1
        name = str(self.count)
        windows = names(self.now, tenant, task)
        fits = all(usd <= self.pot(window).left for window in windows)
        try:
            made = self.ledger.reserve(name, usd / 1e6, tenant, task, self.now, self.now + lasts, force=force)
        except BudgetExceededError as error:
            assert not fits
            assert not force
            tightest = self.pot(next(window for window in windows if window.budget == error.budget))
            assert tightest.left == min(self.pot(window).left for window in windows)
            return
        assert fits or force
        assert sorted(made.windows) == sorted(windows)
        self.take(made, usd)

    def take(self, reservation: Reservation, usd: int) -> None:
        self.open[reservation.reservation_id] = reservation
        for window in reservation.windows:
            pot = self.pot(window)
            pot.held[reservation.reservation_id] = min(usd, pot.left)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), usd=st.integers(0, 3000))
    def settle(self, data: st.DataObject, usd: int) -> None:
        reservation = self.open.pop(data.draw(st.sampled_from(sorted(self.open))))
        charges = self.ledger.settle(reservation.reservation_id, usd / 1e6)
        assert [charge.window for charge in charges] == (list(reservation.windows) if usd else [])
        assert all(charge.usd == usd / 1e6 for charge in charges)
        for window in reservation.windows:
            pot = self.pot(window)
            pot.overrun += max(usd - pot.held.pop(reservation.reservation_id, 0), 0)
            pot.spent += usd
        assert self.ledger.settle(reservation.reservation_id, 1.0) == (), "never twice"

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        reservation = self.open.pop(data.draw(st.sampled_from(sorted(self.open))))
        self.ledger.release(reservation.reservation_id)
        self.let_go(reservation)
        assert self.ledger.settle(reservation.reservation_id, 1.0) == ()

    def let_go(self, reservation: Reservation) -> None:
        for window in reservation.windows:
            self.pot(window).held.pop(reservation.reservation_id, None)

    @rule(passed=st.sampled_from([1.0, 600.0, 7_200.0, 86_400.0]))
    def expire(self, passed: float) -> None:
        self.now += passed
        due = {name for name, held in self.open.items() if held.expires_at <= self.now} - self.expired
        assert set(self.ledger.expire(self.now)) == due
        self.expired |= due
        for name in due:
            self.let_go(self.open[name])
        for name in [name for name in self.open if self.open[name].expires_at + KEPT_S <= self.now]:
            del self.open[name]
            assert self.ledger.settle(name, 1.0) == (), "forgotten"

    @rule()
    def crash(self) -> None:
        """Another process takes up what the store knows: dollars spent, and what was never settled."""
        self.ledger = Ledger(CAPS)
        self.ledger.restore({window: pot.spent / 1e6 for window, pot in self.pots.items()})
        for pot in self.pots.values():
            pot.held.clear()
            pot.overrun = max(pot.spent - pot.usd, 0)
        self.ledger.left_usd("acme", "code", self.now)
        found, self.open = self.open, {}
        for name, reservation in found.items():
            if name not in self.expired:
                self.ledger.hold(reservation)
                self.take(reservation, round(reservation.usd * 1e6))
        self.forget_what_is_over()

    def forget_what_is_over(self) -> None:
        """Nothing is held any more in windows that were over when the process started."""
        current = set(names(self.now, "acme", "code"))
        for window, pot in self.pots.items():
            if window not in current:
                pot.held.clear()

    @invariant()
    def law(self) -> None:
        accounts = {account.window: account for account in self.ledger.accounts(self.now)}
        assert set(accounts) == set(names(self.now, "acme", "code"))
        for window, account in accounts.items():
            pot = self.pot(window)
            stated = (account.spent_usd, account.reserved_usd, account.overrun_usd)
            assert stated == (pot.spent / 1e6, sum(pot.held.values()) / 1e6, pot.overrun / 1e6)
            assert pot.spent + sum(pot.held.values()) <= pot.usd + pot.overrun

    @invariant()
    def what_is_left_can_be_reserved(self) -> None:
        left_usd = self.ledger.left_usd("acme", "code", self.now)
        assert left_usd is not None
        assert left_usd >= 0.0
        self.ledger.reserve("all of it", left_usd, "acme", "code", self.now, self.now + 1)
        assert self.ledger.left_usd("acme", "code", self.now) == 0.0
        self.ledger.release("all of it")

    def teardown(self) -> None:
        if not hasattr(self, "ledger"):
            return
        for name in self.open:
            self.ledger.settle(name, 0.0)
        assert all(account.reserved_usd == 0.0 for account in self.ledger.accounts(self.now))


TestLedger = Ledgers.TestCase
TestLedger.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


CARRYING = Cap("day", 0.001, "day", carry=True)


class Heirs(RuleBasedStateMachine):
    """A cap that carries, beside the sums of what was allowed and spent since its first window."""

    @initialize()
    def start(self) -> None:
        self.ledger, self.now, self.count = Ledger([CARRYING]), START, 0
        self.spent: dict[str, int] = {}
        self.open: dict[str, Reservation] = {}

    @rule(usd=micros, lasts=st.integers(1, 90_000))
    def reserve(self, usd: int, lasts: int) -> None:
        self.count += 1
        name = str(self.count)
        try:
            self.open[name] = self.ledger.reserve(name, usd / 1e6, "", "qa", self.now, self.now + lasts)
        except BudgetExceededError:
            assert usd / 1e6 > self.ledger.account("day", self.now).left_usd

    @precondition(lambda self: self.open)
    @rule(data=st.data(), share=st.sampled_from([0.0, 0.5, 1.0]))
    def settle(self, data: st.DataObject, share: float) -> None:
        reservation = self.open.pop(data.draw(st.sampled_from(sorted(self.open))))
        usd = int(share * round(reservation.usd * 1e6))
        for charge in self.ledger.settle(reservation.reservation_id, usd / 1e6):
            self.spent[charge.window.period] = self.spent.get(charge.window.period, 0) + usd

    @rule(passed=st.sampled_from([600.0, 20_000.0, 86_400.0, 200_000.0]))
    def wait(self, passed: float) -> None:
        self.now += passed

    @rule()
    def crash(self) -> None:
        """Another process takes up what is on record."""
        for name in list(self.open):
            del self.open[name]
        self.ledger = Ledger([CARRYING])
        self.ledger.restore({Window("day", period): usd / 1e6 for period, usd in self.spent.items()})

    @invariant()
    def law(self) -> None:
        account = self.ledger.account("day", self.now)
        assert account.overrun_usd == 0.0, "every bill is within its reservation"
        assert 0.0 <= account.carried_usd <= CARRYING.usd
        assert account.spent_usd + account.reserved_usd <= account.usd + 1e-12
        self.spent.setdefault(account.window.period, 0)
        windows = 1 + self.now // 86_400 - START // 86_400
        assert sum(self.spent.values()) <= 1_000 * windows, "never more in all than was allowed in all"


TestHeirs = Heirs.TestCase
TestHeirs.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
