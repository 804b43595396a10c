"""Whatever processes that share a cap do, and in whatever order: they never spend more than it allows together."""

import random
from collections import deque
from dataclasses import dataclass, field

import pytest

from banditroute.errors import BudgetExceededError, LeaseExceededError
from banditroute.routing.accounts import PICOS, picos_of
from banditroute.routing.budgets import Cap, Window
from banditroute.routing.ledger import Ledger
from banditroute.storage.roster import Roster
from banditroute.storage.sharing import Ask, Report

CAP = Cap("day", 1.0, "day", on_exhausted="reject", paced=False)
NOON = 1_795_608_000.0
WINDOW = Window("day", "2026-11-25")
ALIVE_S, LONGEST_S = 3.0, 4.0
STEPS = 80


@dataclass
class Process:
    """One process: its caps, what is in flight, and what it has sent to the store that has not arrived."""

    name: str
    ledger: Ledger = field(default_factory=lambda: Ledger([CAP]))
    reserved: dict[str, tuple[float, float]] = field(default_factory=dict)
    unsent: list = field(default_factory=list)
    sending: deque = field(default_factory=deque)
    asking: tuple | None = None
    sent_at: float = NOON

    def __post_init__(self):
        self.ledger.share()

    @property
    def book(self):
        (book,) = self.ledger.leased(NOON, 0.0)
        return book


class Sharing:
    """Exchanges arrive at the store after what was sent before them; answers arrive late, or never."""

    def __init__(self):
        self.now, self.spent_usd, self.numbers, self.roster = NOON, 0.0, 0, Roster()
        self.unheard_usd = 0.0
        self.processes = [self.born() for _ in range(2)]

    def born(self):
        self.numbers += 1
        return Process(f"process {self.numbers}", sent_at=self.now)

    def reserve(self, which, usd):
        process = self.processes[which]
        self.numbers += 1
        try:
            process.ledger.reserve(str(self.numbers), usd, "", "", NOON, self.now + LONGEST_S)
        except LeaseExceededError:
            assert process.book.unspent > process.book.left
        except BudgetExceededError:
            assert process.book.unspent < picos_of(usd)
        else:
            process.reserved[str(self.numbers)] = usd, self.now

    def reserve_all(self, which):
        self.reserve(which, max(self.processes[which].book.left, 0) / PICOS)

    def exchange(self, which):
        self.ask(which)
        self.arrive(which)
        self.answer(which)

    def settle(self, which, share):
        process = self.processes[which]
        if process.reserved:
            self.land(process, next(iter(process.reserved)), share)

    def land(self, process, name, share):
        usd, _ = process.reserved.pop(name)
        process.unsent.extend(process.ledger.settle(name, usd * share))

    def tell(self, which, fails):
        """Some time after a call has ended, its settlement is sent; the store may fail to write it."""
        process = self.processes[which]
        charges, process.unsent = process.unsent, []
        process.ledger.told(charges)
        if fails:
            process.ledger.untold(charges)
            self.unheard_usd += sum(charge.usd for charge in charges)
        else:
            process.sending.extend(charge.usd for charge in charges)

    def ask(self, which):
        process = self.processes[which]
        if process.asking is not None:  # its answer was lost
            process.asking = None
        need = process.book.ask(2)
        assert need.held <= need.wanted
        ask = Ask(WINDOW, CAP.usd, need.held / PICOS, need.wanted / PICOS)
        process.sending.append(Report(process.name, ALIVE_S, ALIVE_S + LONGEST_S, (ask,)))
        process.asking = (self.now, None)

    def arrive(self, which):
        process = self.processes[which]
        asked_at = None if process.asking is None else process.asking[0]
        while process.sending:
            sent = process.sending.popleft()
            if not isinstance(sent, Report):
                self.spent_usd += sent
                continue
            self.roster.report(sent, self.now)
            grant = self.roster.grant(sent, sent.asks[0], self.spent_usd, self.now)
            assert grant.usd >= sent.asks[0].held_usd
            if not any(isinstance(later, Report) for later in process.sending):
                process.asking = None if asked_at is None else (asked_at, grant)

    def answer(self, which):
        process = self.processes[which]
        if process.asking is not None and process.asking[1] is not None:
            (process.sent_at, grant), process.asking = process.asking, None
            if self.now < process.sent_at + ALIVE_S:
                process.book.granted(picos_of(grant.usd), picos_of(grant.spent_usd))

    def ask_for_less(self, which):
        """Asks after a while in which little was needed; the answer is not there yet."""
        lease = self.processes[which].book.lease
        lease._largest, lease._peak, lease._rate, lease._lately = 0.0, 0, 0.0, 0
        self.ask(which)
        self.arrive(which)

    def pass_time(self):
        """Leases that are not renewed lapse, and return later; calls end in time, and what they cost arrives."""
        self.now += 1.0
        for which, process in enumerate(self.processes):
            if self.now >= process.sent_at + ALIVE_S:
                process.ledger.lapse()
            for name, (_, since) in list(process.reserved.items()):
                if self.now >= since + LONGEST_S - 1.0:
                    self.land(process, name, 1.0)
            self.tell(which, False)
            self.arrive(which)

    def kill(self, which):
        """What was under way is given up by another, and charged; what was on its way to the store is lost."""
        process = self.processes[which]
        lost_usd = sum(each for each in process.sending if not isinstance(each, Report))
        under_way_usd = sum(usd for usd, _ in process.reserved.values()) + sum(each.usd for each in process.unsent)
        self.spent_usd += lost_usd + under_way_usd
        self.processes[which] = self.born()

    def check(self):
        committed = self.spent_usd + self.unheard_usd
        for process in self.processes:
            committed += sum(usd for usd, _ in process.reserved.values()) + sum(each.usd for each in process.unsent)
            committed += sum(each for each in process.sending if not isinstance(each, Report))
            assert process.ledger.overrun_usd <= 1e-9
        assert committed <= CAP.usd + 1e-9
        return committed

    def step(self, chance):
        which, what = chance.randrange(2), chance.choices(*zip(*WEIGHTS.items(), strict=True))[0]
        match what:
            case "reserve":
                self.reserve(which, chance.uniform(0.0, 0.9))
            case "settle":
                self.settle(which, chance.choice((0.0, 0.3, 1.0)))
            case "tell":
                self.tell(which, chance.random() < 0.2)
            case "pass_time":
                self.pass_time()
            case _:
                getattr(self, what)(which)


WEIGHTS = {
    "reserve": 3,
    "reserve_all": 3,
    "settle": 2,
    "tell": 2,
    "ask": 2,
    "arrive": 2,
    "answer": 2,
    "exchange": 3,
    "ask_for_less": 2,
    "pass_time": 1,
    "kill": 0.2,
}


@pytest.mark.parametrize("hundred", range(4))
def test_more_is_never_spent_than_the_cap_allows(hundred):
    most = 0.0
    for seed in range(100 * hundred, 100 * (hundred + 1)):
        chance, world = random.Random(seed), Sharing()
        for _ in range(STEPS):
            world.step(chance)
            most = max(most, world.check())
    assert most > 0.9, "the cap was never nearly reached: nothing was shown"
