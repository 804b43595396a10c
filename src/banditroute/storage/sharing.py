"""What processes on one store tell each other: one exchange a tick, in one round trip.

Evidence adds, so sharing what is learned is reading the sums again. Dollars of a cap are leased: for every window

    spent + the leases of all holders <= what the window allows

holds in the store, and a process decides from its lease without asking anybody. A lease covers what the process's
requests in flight hold and what it may hold next; what it settled is on record as spent by the next exchange. Until
then it counts twice, which errs on the side of the budget.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from banditroute.learning.evidence import Evidence
from banditroute.routing.budgets import Window
from banditroute.routing.lessons import Edge


class Paid(NamedTuple):
    """What one paced budget has paid for since its log began: every settlement that lists a pace of that name counts.

    Attributes:
        requests: how many.
        usd: their dollars.
    """

    requests: int = 0
    usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Ask:
    """What a process asks of one window of a cap.

    Attributes:
        window: which.
        cap_usd: what the window allows in all.
        held_usd: what the process may already hold or spend of it: granted before, so never refused now.
        wanted_usd: what it would have in all; at least `held_usd`.
    """

    window: Window
    cap_usd: float
    held_usd: float
    wanted_usd: float


@dataclass(frozen=True, slots=True)
class Grant:
    """What a process has of one window of a cap.

    Attributes:
        window: which.
        usd: its lease: at least what it held, at most what it wanted.
        spent_usd: on record as spent in the window by all, this process's settlements before the exchange included.
    """

    window: Window
    usd: float
    spent_usd: float


@dataclass(frozen=True, slots=True)
class OpenCircuit:
    """A model that a process found not to answer.

    Attributes:
        model: which.
        for_s: seconds for which nobody need try it.
        why: what it answered last.
    """

    model: str
    for_s: float
    why: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a process tells the others.

    Attributes:
        holder: names the process; new with each start.
        alive_s: seconds after which it counts as gone unless it is heard of again.
        lease_s: seconds after which its leases return unless it is heard of again: by then nothing of it is in flight.
        asks: for windows that it needs; leases of windows that are not asked for return.
        circuits: models that it finds not to answer.
        known: the version of what it has heard; 0 = nothing.
        leaving: it ends here: it counts as gone from now on and its leases return.
    """

    holder: str
    alive_s: float
    lease_s: float
    asks: tuple[Ask, ...] = ()
    circuits: tuple[OpenCircuit, ...] = ()
    known: int = 0
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class News:
    """What the others told, and what all of them amount to.

    The sums include every write of this store object that was asked for before the exchange, and none asked for later.

    Attributes:
        version: of what is told here; to be given as `known` next time.
        evidence: the sums of edges that changed since the version known: whole sums, not what was added.
        paid: by paced budget.
        grants: one for each ask.
        others: the other processes that are alive, sorted.
        circuits: models that others find not to answer.
        on_duty: this process does what one has to do for all: of those alive it has been here longest.
    """

    version: int
    evidence: Mapping[Edge, Evidence]
    paid: Mapping[str, Paid] = field(default_factory=dict[str, Paid])
    grants: tuple[Grant, ...] = ()
    others: tuple[str, ...] = ()
    circuits: tuple[OpenCircuit, ...] = ()
    on_duty: bool = True


class Sharing(Protocol):
    """What a store does besides, that several processes use at once."""

    async def exchange(self, report: Report) -> News:
        """Takes in what a process tells and tells it the news, all at one instant of the store's own clock.

        Raises:
            StoreError: the store cannot be reached; leases that were granted before hold until their time is up.
        """
        ...


def granted_usd(ask: Ask, spent_usd: float, leased_to_others_usd: float) -> float:
    """What of an ask is granted: all that is held, and of the rest no more than half of what nobody has.

    Half, so that whoever asks next finds something too; what it does not find now it asks for again a tick later.
    """
    free_usd = ask.cap_usd - spent_usd - leased_to_others_usd - ask.held_usd
    return max(min(ask.wanted_usd, ask.held_usd + max(free_usd, 0.0) / 2), ask.held_usd)
